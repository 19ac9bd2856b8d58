"""The `view_image` tool."""
