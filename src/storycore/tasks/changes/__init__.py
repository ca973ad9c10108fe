"""What a change of a task writes."""
