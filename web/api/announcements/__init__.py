"""What an administrator tells everybody."""
