"""One module per format, behind one protocol."""
