"""A model provider for a server that speaks the Responses API."""
