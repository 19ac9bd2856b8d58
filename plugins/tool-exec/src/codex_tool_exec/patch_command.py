"""Recognize shell commands that only call ``apply_patch``, so that they can be passed to that tool.

Such a command always contains ``*** Begin Patch``; callers check that before they import this module.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from codex_hookspecs import frozen
from codex_hookspecs.errors import ToolError

_NAMES = ("apply_patch", "applypatch")
_POSIX_SHELLS = ("bash", "zsh", "sh")
_POWERSHELLS = ("pwsh", "powershell")
_BEGIN, _END = "*** Begin Patch", "*** End Patch"

_SCRIPT = re.compile(
    r"""\s*
    (?:cd[ \t]+
        (?: '(?P<raw>[^'\n]*)'
          | "(?P<quoted>[^"$`\\\n]+)"
          | (?P<word>[^\s'"$`\\;&|<>()*?\[\]{}~\#!-][^\s'"$`\\;&|<>()*?\[\]{}]*)
        )[ \t]*&&\s*
    )?
    (?:apply_patch|applypatch)[ \t]*(?:-[ \t]+)?
    <<-?[ \t]*(?P<quote>['"]?)(?P<end>[A-Za-z_][A-Za-z0-9_]*)(?P=quote)[ \t]*\n
    (?P<body>.*?)\n?
    ^(?P=end)\s*\Z""",
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


@frozen
class CommandPatch:
    """The patch of a command.

    :param patch: patch text, not yet parsed.
    :param workdir: directory that the command changes to first, or ``None``.
    """

    patch: str
    workdir: str | None = None


def patch_from_command(command: str | Sequence[str]) -> CommandPatch | None:
    """Return the patch that a command applies, or ``None`` when it does anything else.

    Known forms: ``["apply_patch", PATCH]``; a script, alone or after ``bash -lc`` and the like, that consists only of
    ``apply_patch <<'EOF' …``, optionally after ``cd DIR &&``. The tool gets it as function arguments
    ``{"input": patch, "workdir": workdir}``.

    :param command: a script or an argument list.
    :raises ToolError: when the command is a patch itself, which no shell could run.
    """
    argv = [command] if isinstance(command, str) else list(command)
    if len(argv) == 2 and argv[0] in _NAMES:
        return CommandPatch(argv[1])
    script = argv[0] if len(argv) == 1 else _script(argv)
    if script is None or _BEGIN not in script:
        return None
    bare = script.strip()
    if bare.startswith(_BEGIN) and bare.endswith(_END):
        raise ToolError(
            "apply_patch verification failed: patch detected without explicit call to apply_patch. "
            'Rerun as ["apply_patch", "<patch>"]'
        )
    match = _SCRIPT.match(script.replace("\r\n", "\n"))
    if match is None or match["end"] in match["body"].split("\n"):
        return None
    workdir = next((match[name] for name in ("raw", "quoted", "word") if match[name] is not None), None)
    return CommandPatch(match["body"], workdir)


def _script(argv: list[str]) -> str | None:
    shell = re.split(r"[/\\]", argv[0])[-1].lower().removesuffix(".exe") if argv else ""
    options = [option.lower() for option in argv[1:-1]]
    if shell in _POSIX_SHELLS and argv[1:-1] in (["-lc"], ["-c"]):
        return argv[-1]
    if shell in _POWERSHELLS and options in (["-command"], ["-noprofile", "-command"]):
        return argv[-1]
    if shell == "cmd" and options == ["/c"]:
        return argv[-1]
    return None
