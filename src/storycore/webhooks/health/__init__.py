"""How webhooks have been doing."""
