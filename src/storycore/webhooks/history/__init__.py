"""What was sent to webhooks lately, for those who look back."""
