"""A hook that leaves pushing to people."""
