"""What operators read of the tree; it changes nothing."""
