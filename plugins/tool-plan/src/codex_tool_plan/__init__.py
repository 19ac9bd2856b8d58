"""The `update_plan` tool."""
