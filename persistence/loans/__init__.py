"""Loans, payments and comments: read whole, changed, and written."""
