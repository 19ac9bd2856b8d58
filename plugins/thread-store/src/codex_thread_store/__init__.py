"""Threads on disk: rollout files and an SQLite index."""
