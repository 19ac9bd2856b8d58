"""Methods for commands that clients run, outside of any thread."""
