"""From a request to its handler."""
