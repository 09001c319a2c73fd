"""What is read without changing anything: lists, arrears, ledger, statistics."""
