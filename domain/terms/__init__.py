"""What was agreed: the terms of a loan, their choices and bounds, and the products behind them."""
