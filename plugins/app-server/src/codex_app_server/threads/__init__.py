"""Threads: load and fork them, list, read and change those that are stored, take turns back."""
