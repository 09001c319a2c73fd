"""PostgreSQL: connections, transactions, statements and what goes wrong on them."""
