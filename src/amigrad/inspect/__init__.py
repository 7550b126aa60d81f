"""Ways to look at a graph: pictures and tables."""
