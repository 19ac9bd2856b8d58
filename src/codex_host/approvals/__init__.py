"""Approve commands, patches and permissions: decide, ask hooks, ask the client, remember its answers."""
