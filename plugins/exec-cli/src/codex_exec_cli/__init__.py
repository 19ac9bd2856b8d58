"""The `codex exec` command: one turn without a terminal interface."""
