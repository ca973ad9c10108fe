"""Where deliveries wait for senders."""
