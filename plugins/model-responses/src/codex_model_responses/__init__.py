"""Model provider for the Responses API over HTTP and server-sent events."""
