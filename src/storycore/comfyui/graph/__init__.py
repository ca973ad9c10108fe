"""Graphs of ComfyUI as data: pure code, but for the one module that opens files."""
