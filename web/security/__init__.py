"""Who is calling: tokens, passwords, addresses, limits. Session truth is in the store."""
