"""The terms of a loan as they come in and as they are shown."""
