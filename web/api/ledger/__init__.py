"""Journal, trial balance and audit trail."""
