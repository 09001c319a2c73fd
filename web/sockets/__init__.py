"""The sockets: lanes that carry notifications and the handlers that own them; no business rule."""
