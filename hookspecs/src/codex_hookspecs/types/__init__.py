"""Frozen values that cross a hook or a wire, one module per area."""
