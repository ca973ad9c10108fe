"""The public names: one module per group, one function and one request type per operation."""
