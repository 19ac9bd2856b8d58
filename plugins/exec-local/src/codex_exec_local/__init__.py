"""Processes, file system and HTTP client of this machine, as an environment."""
