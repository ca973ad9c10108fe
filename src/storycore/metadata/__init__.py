"""A project described for people and machines: one document, three ways to write it."""
