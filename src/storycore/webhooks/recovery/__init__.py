"""What is sent again on request."""
