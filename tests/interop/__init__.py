"""Our ``codex`` beside the real one and with the real clients; run by ``make interop``."""
