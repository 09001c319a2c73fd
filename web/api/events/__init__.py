"""The notifications of sockets, as Server-Sent Events."""
