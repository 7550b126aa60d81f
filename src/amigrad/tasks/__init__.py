"""Applications, each on all that is below: tagging."""
