"""Where webhooks stand."""
