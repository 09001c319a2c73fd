"""What is read of a loan or a portfolio on a day."""
