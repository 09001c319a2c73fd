"""What the actors need of the world, as Protocols."""
