"""A sub-command that lists the newest threads."""
