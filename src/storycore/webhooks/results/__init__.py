"""What attempts led to."""
