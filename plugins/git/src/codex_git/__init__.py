"""What git knows, for clients."""
