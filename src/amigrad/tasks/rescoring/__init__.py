"""Translation rescoring: a joint model of source and target on the n-best lists of any decoder."""
