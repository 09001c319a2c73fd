"""The actor's runtime: it knows nothing of loans, and could be used elsewhere."""
