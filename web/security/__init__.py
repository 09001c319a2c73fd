"""Who is calling: tokens, passwords, addresses and limits. Session truth is in the store, not here."""
