"""The ``codex exec-server`` command: offers this machine as an environment to remote agents."""
