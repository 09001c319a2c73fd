"""The change feed: committed notifications, numbered in order."""
