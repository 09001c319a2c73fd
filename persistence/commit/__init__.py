"""The unit of work: one transaction, all that it writes, and who is woken by it."""
