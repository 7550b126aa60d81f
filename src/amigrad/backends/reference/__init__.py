"""Runs a graph operation by operation through `forward`."""
