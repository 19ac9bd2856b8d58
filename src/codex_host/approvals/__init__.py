"""Decide whether a command may run: rules, hooks, the client, remembered answers."""
