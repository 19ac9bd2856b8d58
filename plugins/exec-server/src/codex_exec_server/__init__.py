"""The `codex exec-server` command: this machine for agents elsewhere."""
