"""Whether what is kept is what the events say, and its repair."""
