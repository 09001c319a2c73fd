"""The settings: read once, checked together, handed down in slices."""
