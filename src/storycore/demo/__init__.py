"""The demo: a small film project made from nothing, and a tour of what StoryCore does with it."""
