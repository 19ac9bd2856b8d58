"""The sandbox of macOS: policies in SBPL, enforced by ``sandbox-exec``."""
