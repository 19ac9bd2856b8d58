"""Instruction files and environment context for the model."""
