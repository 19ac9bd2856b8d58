"""Bindings for clients: JSON schemas and TypeScript types, written from the classes of all plugins' methods."""
