"""The command `amigrad`: thin, one file a group of commands."""
