"""What has happened to a loan, and in which order events count."""
