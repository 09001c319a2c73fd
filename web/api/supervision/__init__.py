"""The supervision tree, seen and ordered about by operators."""
