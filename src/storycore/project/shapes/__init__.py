"""One module per known shape of project files."""
