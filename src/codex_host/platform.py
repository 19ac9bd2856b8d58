"""Names of the platform in manifests, hooks and requests."""

from __future__ import annotations

import sys

PLATFORM = {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
"""``linux``, ``macos`` or ``windows``."""

SANDBOX_TAG = {"linux": "seccomp", "macos": "seatbelt", "windows": "windows_sandbox"}.get(PLATFORM, "none")
"""Name of this platform's sandbox in the metadata of model requests."""
