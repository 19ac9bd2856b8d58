"""Threads on disk: rollout files and their index."""
