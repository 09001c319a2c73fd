"""One-off work from the command line."""
