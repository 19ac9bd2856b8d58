"""Enforce sandbox policies with bubblewrap."""
