"""Sandbox policies: what they mean on disk, their JSON forms, and what enforces them."""
