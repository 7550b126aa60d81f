"""The experiment of Devlin et al. (2014) on n-best lists of real decoders."""
