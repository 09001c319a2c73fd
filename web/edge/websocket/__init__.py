"""A WebSocket on the guarded edge."""
