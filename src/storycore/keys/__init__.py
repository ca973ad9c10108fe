"""Keys that callers of the server show, and what each of them allows."""
