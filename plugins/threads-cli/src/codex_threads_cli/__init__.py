"""Plugin with the commands for saved sessions."""
