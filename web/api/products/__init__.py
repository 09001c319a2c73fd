"""Loan products and their versions."""
