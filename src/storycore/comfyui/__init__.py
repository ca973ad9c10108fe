"""ComfyUI: servers that generate, graphs for them, and runs that survive crashes on either side."""
