"""Find the devices that commands may use besides the standard ones (``sandbox_workspace_write.devices``)."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from codex_hookspecs.errors import SandboxUnavailable

if TYPE_CHECKING:
    from codex_hookspecs.types.sandbox import SandboxPolicy

_FOLDER = "/dev/"
_MOST = 256


def names_devices(value: Any) -> bool:
    """Tell whether a value of the setting is a list of paths or patterns below ``/dev``."""
    return isinstance(value, list) and all(isinstance(path, str) and _is_device_path(path) for path in value)


def wanted_devices(setting_of: Callable[[str], Any], policy: SandboxPolicy) -> tuple[str, ...]:
    """Return the configured devices, if the policy is one that may write the workspace.

    :param setting_of: reads a key of the configuration.
    """
    table = setting_of("sandbox_workspace_write")
    named = table.get("devices") if isinstance(table, dict) and policy.kind == "workspaceWrite" else None
    return tuple(named) if isinstance(named, list) and names_devices(named) else ()


def devices_there(named: Iterable[str]) -> tuple[str, ...]:
    """Return the devices that exist, those in directories one by one; links are not followed.

    :raises SandboxUnavailable: when there are more than a command can be given.
    """
    found = tuple(dict.fromkeys(node for pattern in named for path in _matches(pattern) for node in _nodes(path)))
    if len(found) > _MOST:
        raise SandboxUnavailable(
            f"the command was not run: sandbox_workspace_write.devices names {len(found)} devices, "
            f"allowed are {_MOST}; name fewer"
        )
    return found


def _nodes(path: str) -> Iterator[str]:
    if os.path.realpath(path) != path:
        return
    if os.path.isdir(path):
        for entry in sorted(os.listdir(path)):
            yield from _nodes(f"{path}/{entry}")
    elif stat.S_IFMT(os.stat(path).st_mode) in (stat.S_IFCHR, stat.S_IFBLK):
        yield path


def _matches(pattern: str) -> Iterable[str]:
    if not _is_device_path(pattern):
        return ()
    if not any(sign in pattern for sign in "*?["):
        return (pattern,) if os.path.exists(pattern) else ()
    from glob import glob

    return sorted(glob(pattern))


def _is_device_path(path: str) -> bool:
    parts = path.removeprefix(_FOLDER).split("/")
    return path.startswith(_FOLDER) and "\0" not in path and all(part not in ("", ".", "..") for part in parts)
