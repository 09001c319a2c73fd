"""How a payment is split over what is due."""
