"""PostgreSQL and Valkey as supervised children of Lendwire's own tree; not a client of either."""
