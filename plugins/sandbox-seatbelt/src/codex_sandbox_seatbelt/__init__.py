"""The sandbox of macOS: policies in its own language, held by ``sandbox-exec``."""
