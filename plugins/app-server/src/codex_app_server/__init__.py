"""The app-server: threads and turns for clients, over the app-server protocol v2."""
