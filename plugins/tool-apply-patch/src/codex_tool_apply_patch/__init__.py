"""The `apply_patch` tool: grammar, matching and atomic application of patches."""
