"""Measurements side by side with the real Codex; run by ``make bench``. Nothing here asserts a time."""
