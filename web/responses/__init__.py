"""How an answer or a refusal becomes a response."""
