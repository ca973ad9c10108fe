"""ComfyUI: its graphs read, converted, filled in and checked."""
