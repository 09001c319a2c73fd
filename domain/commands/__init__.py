"""What may be asked of the domain, as frozen values."""
