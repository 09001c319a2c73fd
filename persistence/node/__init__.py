"""What one node keeps about itself: leadership, presence, sockets, health, cleanup."""
