"""Tickets for sockets, and who is connected."""
