"""Which deliveries a sender may have now."""
