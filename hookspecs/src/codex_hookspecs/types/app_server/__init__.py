"""Wire types of the app-server protocol, by subject."""
