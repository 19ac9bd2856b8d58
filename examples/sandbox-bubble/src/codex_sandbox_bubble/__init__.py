"""A sandbox launcher that wraps commands in bubblewrap."""
