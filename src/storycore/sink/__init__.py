"""A receiver of webhooks to try things with: it verifies, keeps a ledger, and misbehaves on request."""
