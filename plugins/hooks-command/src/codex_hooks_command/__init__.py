"""Command hooks from hooks.json and config.toml."""
