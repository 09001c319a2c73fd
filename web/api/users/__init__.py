"""Users: making, reading, changing and deactivating them."""
