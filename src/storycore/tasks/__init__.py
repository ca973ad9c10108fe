"""Durable work: accepted once, done to its end, by whichever process lives."""
