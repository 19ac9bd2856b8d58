"""Search for files by name."""
