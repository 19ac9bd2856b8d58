"""Decide whether a command may run: shell parsing, known commands, rules files."""
