"""Private desktops for commands: windows on one desktop can't send messages to those on another."""

from __future__ import annotations

import os
from ctypes import c_uint32 as dword
from ctypes import c_void_p, c_wchar_p

from codex_sandbox_windows.windows.api import check, function

_ALL_ACCESS = 0x01FF
DEFAULT = r"winsta0\default"


class Desktop:
    """A private desktop.

    :ivar name: value for ``STARTUPINFO.lpDesktop``.
    """

    def __init__(self) -> None:
        short = f"codex-{os.urandom(8).hex()}"
        create = function("user32", "CreateDesktopW", c_void_p, c_wchar_p, c_void_p, c_void_p, dword, dword, c_void_p)
        self._handle: int | None = int(check("make a desktop", create(short, None, None, 0, _ALL_ACCESS, None)))
        self.name = rf"winsta0\{short}"

    def close(self) -> None:
        """Close the handle; the desktop exists until its last process ends."""
        if self._handle is not None:
            function("user32", "CloseDesktop", dword, c_void_p)(self._handle)
            self._handle = None
