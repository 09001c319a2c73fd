"""Loans: applied for, decided, serviced and read."""
