"""Read shell command lines: words, and the commands that a script runs."""
