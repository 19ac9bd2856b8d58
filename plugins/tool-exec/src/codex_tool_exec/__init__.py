"""The `exec_command` and `write_stdin` tools."""
