"""The host of coding-agent threads: it loads plugins, and runs threads and turns with what they contribute."""

__version__ = "0.1.0"
