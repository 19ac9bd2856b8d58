"""Name the platform as manifests and hooks do."""

from __future__ import annotations

import sys

PLATFORM = {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
"""``linux``, ``macos`` or ``windows``."""

SANDBOX_TAG = {"linux": "seccomp", "macos": "seatbelt", "windows": "windows_sandbox"}.get(PLATFORM, "none")
"""What model requests are told of the sandbox that commands run in here."""
