"""The `request_user_input` tool."""
