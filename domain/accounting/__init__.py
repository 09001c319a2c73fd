"""What an event posts in the journal."""
