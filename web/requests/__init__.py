"""Reading a request strictly."""
