"""Payments: recorded, read, previewed and reversed."""
