"""The client of an app-server elsewhere, over a WebSocket."""
