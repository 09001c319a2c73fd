"""The link to a head office."""
