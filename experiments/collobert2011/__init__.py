"""The table of Collobert et al. (2011), "Natural language processing (almost) from scratch", row by row."""
