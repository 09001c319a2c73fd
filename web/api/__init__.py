"""What each path does, one folder a resource; routes stand beside their shapes."""
