"""Processes and files of other machines, over the exec-server protocol."""
