"""A thread store in an SQLite database."""
