"""Where Lendwire touches the world that is not a store: the clock, chance, other machines."""
