"""Turns, what clients are told and asked about them, and which clients that are."""
