"""Track the net changes of a turn's patches as a git diff (``turn/diff/updated``)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from attrs import define, field

from codex_tool_apply_patch.diffs import unified_hunks

if TYPE_CHECKING:
    from codex_tool_apply_patch.planning import Plan

_NO_OBJECT = "0" * 40
_CONTEXT = 3


@define
class TurnDiff:
    """The files of a turn before its first patch and after its last.

    :param root: directory to which paths in the diff are relative, or ``None`` for absolute paths.
    :ivar changed: size in bytes of the last plan, which tells how long computing the diff takes.
    """

    turn_id: str
    root: str | None = None
    changed: int = field(default=0, init=False)
    _before: dict[str, bytes | None] = field(factory=dict, init=False)
    _now: dict[str, bytes | None] = field(factory=dict, init=False)
    _origins: dict[str, str] = field(factory=dict, init=False)
    _diffs: dict[tuple[str, str], tuple[bytes | None, str]] = field(factory=dict, init=False)

    def record(self, plan: Plan) -> None:
        """Add a plan that was applied."""
        self.changed = plan.size
        for step in plan.steps:
            self._before.setdefault(step.path, step.before)
            self._now[step.path] = step.after
        for change in plan.changes:
            if change.moved_to is not None:
                self._origins[change.moved_to] = self._origins.pop(change.path, change.path)
            elif change.kind == "add":
                self._origins.pop(change.path, None)

    def text(self) -> str:
        """Return the net diff; empty when the files are unchanged."""
        origins = {new: old for new, old in self._origins.items() if self._is_rename(old, new)}
        renamed = set(origins.values())
        paths = sorted(self._now.keys() - renamed, key=lambda path: origins.get(path, path))
        return "".join(self._cached_diff(origins.get(path, path), path) for path in paths)

    def _cached_diff(self, old_path: str, new_path: str) -> str:
        """Return the diff of a file, computed again only when the file has changed."""
        now = self._now[new_path]
        known = self._diffs.get((old_path, new_path))
        if known is None or known[0] is not now:
            known = self._diffs[old_path, new_path] = (now, self._file_diff(old_path, new_path))
        return known[1]

    def _is_rename(self, old: str, new: str) -> bool:
        return (
            old != new
            and self._now.get(old) is None
            and self._before.get(old) is not None
            and self._now.get(new) is not None
            and self._before.get(new) is None
        )

    def _file_diff(self, old_path: str, new_path: str) -> str:
        before, now = self._before[old_path], self._now[new_path]
        if before == now and old_path == new_path:
            return ""
        old_name, new_name = f"a/{self._display_path(old_path)}", f"b/{self._display_path(new_path)}"
        head = [f"diff --git {old_name} {new_name}\n"]
        if before is None:
            head.append("new file mode 100644\n")
        elif now is None:
            head.append("deleted file mode 100644\n")
        if before == now:
            return f"{head[0]}rename from {old_name[2:]}\nrename to {new_name[2:]}\n"
        head.append(f"index {_object_id(before)}..{_object_id(now)}\n")
        old_name = "/dev/null" if before is None else old_name
        new_name = "/dev/null" if now is None else new_name
        return "".join(head) + _body(before or b"", now or b"", old_name, new_name)

    def _display_path(self, path: str) -> str:
        if self.root is not None:
            prefix = self.root.rstrip("/\\") + ("\\" if "\\" in self.root else "/")
            path = path.removeprefix(prefix)
        return path.replace("\\", "/")


def _body(before: bytes, now: bytes, old_name: str, new_name: str) -> str:
    try:
        hunks = unified_hunks(before.decode(), now.decode(), _CONTEXT)
    except UnicodeDecodeError:
        return f"Binary files {old_name} and {new_name} differ\n"
    return f"--- {old_name}\n+++ {new_name}\n{hunks}" if hunks else ""


def _object_id(content: bytes | None) -> str:
    """Return git's object id of a file with this content."""
    if content is None:
        return _NO_OBJECT
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
