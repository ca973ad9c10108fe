"""Where events stand, and from where they go out."""
