"""What a project becomes: packages, and files in other formats."""
