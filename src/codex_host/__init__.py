"""A small host that runs coding-agent threads; everything it does is done by plugins."""

__version__ = "0.1.0"
