"""The known shapes of project files: one module each, which knows where the parts stand and in which units."""
