"""The link and its queue."""
