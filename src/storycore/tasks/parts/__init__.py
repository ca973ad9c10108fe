"""Parts of tasks that run: what others do of them, and what is done here after all."""
