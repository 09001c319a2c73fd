"""Which events a command makes, or why it is refused."""
