"""Pictures and sound of a film, from its timeline to finished files."""
