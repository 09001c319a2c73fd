"""The only place that leans on Trio's inside."""
