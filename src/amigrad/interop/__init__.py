"""Other libraries and formats, one file for each neighbour."""
