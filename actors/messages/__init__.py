"""Each actor's protocol: frozen messages, one file per receiving actor. No behaviour lives here."""
