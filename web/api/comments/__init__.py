"""Comments on loans."""
