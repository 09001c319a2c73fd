"""The actors' room: who runs, one message at a time; it knows no SQL, no HTTP and no restarts."""
