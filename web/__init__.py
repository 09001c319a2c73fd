"""The web: HTTP and WebSocket, from bytes to messages for actors and back; it decides nothing."""
