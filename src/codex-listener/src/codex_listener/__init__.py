"""Accept WebSocket clients: sockets, the HTTP upgrade, frames, and options for authentication."""
