"""An edit as other editing programs read it: one model, and one module for each way to write it down."""
