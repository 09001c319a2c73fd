"""Recorded facts as every answer shows them."""
