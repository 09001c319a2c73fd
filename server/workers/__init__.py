"""Several processes on one port: a parent that keeps workers, and what they say to each other."""
