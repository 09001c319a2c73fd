"""Quotes and simulations; nothing of them is kept."""
