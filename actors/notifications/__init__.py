"""From the committed feed to every subscriber."""
