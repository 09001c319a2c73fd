"""The schedule engine: interest, rows, charges, and their recalculation."""
