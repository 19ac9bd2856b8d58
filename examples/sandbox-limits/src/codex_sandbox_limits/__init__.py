"""A sandbox launcher that limits what commands use, around the launcher that comes after it."""
