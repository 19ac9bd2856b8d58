"""Protocols: what a plugin provides to the host, and what the host provides to a plugin. One module per area."""
