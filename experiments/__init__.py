"""Experiments that repeat what papers report, with one command each."""
