"""How one process is: metrics, health, and what watches its loop."""
