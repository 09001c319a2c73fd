"""A loan: its life cycle, its state, and how events make it."""
