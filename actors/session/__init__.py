"""The actor of one connected user, and the handlers to which it hands its messages."""
