"""Where deliveries and their attempts stand."""
