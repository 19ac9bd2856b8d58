"""Name the platform as manifests and hooks do."""

from __future__ import annotations

import sys

PLATFORM = {"darwin": "macos", "win32": "windows"}.get(sys.platform, sys.platform)
"""``linux``, ``macos`` or ``windows``."""
