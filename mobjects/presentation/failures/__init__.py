"""What a reason is about."""
