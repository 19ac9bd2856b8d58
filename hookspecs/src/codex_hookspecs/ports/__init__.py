"""Protocols of services between host and plugins, one module per area."""
