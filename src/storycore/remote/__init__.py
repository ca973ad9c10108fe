"""The same door to a running server, over HTTP."""
