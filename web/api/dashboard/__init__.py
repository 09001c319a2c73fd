"""The dashboard and the arrears of the portfolio."""
