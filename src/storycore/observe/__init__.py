"""How StoryCore tells what it does: progress of long work, and logs."""
