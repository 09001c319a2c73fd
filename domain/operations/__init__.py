"""What operators order of a node, and who leads it."""
