"""Processes and file system of this machine behind the environment ports."""
