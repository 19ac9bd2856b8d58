"""Make one patch in git's format of the file changes that a thread records."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import takewhile

from codex_hookspecs import frozen


class PatchProblem(ValueError):
    """Raised when changes can't be made a patch for a directory."""


@frozen(kw_only=True)
class Change:
    """A change of one file.

    :param path: absolute path where the change was made.
    :param kind: ``add``, ``delete`` or ``update``.
    :param moved_to: absolute path that the file was moved to.
    :param diff: hunks of an update; the content of an added or deleted file.
    """

    path: str
    kind: str
    diff: str
    moved_to: str | None = None


@frozen(kw_only=True)
class Patch:
    """A patch in git's format.

    :param paths: the files that it changes, relative to the directory that it is applied in.
    """

    data: bytes
    paths: tuple[str, ...]


def git_patch(changes: Sequence[Change], *, made_in: str, here: str, root: str) -> Patch:
    """Return the patch.

    :param made_in: directory of the thread, which paths are taken relative to.
    :param here: directory that takes its place.
    :param root: directory that the patch is applied in; nothing outside of it can be changed.
    :raises PatchProblem: when a file would be outside of ``root``.
    """

    def place(path: str) -> str:
        moved = os.path.normpath(os.path.join(here, os.path.relpath(path, made_in)))
        inner = os.path.relpath(moved, root)
        if inner == os.pardir or inner.startswith(os.pardir + os.sep) or os.path.isabs(inner):
            raise PatchProblem(f"{path} would be {moved}, which is outside of {root}")
        return inner.replace(os.sep, "/")

    parts = []
    paths: dict[str, None] = {}
    for change in changes:
        path, moved_to = place(change.path), place(change.moved_to) if change.moved_to else None
        parts.append(_part(change, path, moved_to))
        paths |= dict.fromkeys([path, *([moved_to] if moved_to else [])])
    return Patch(data="".join(parts).encode("utf-8", "surrogateescape"), paths=tuple(paths))


def _part(change: Change, path: str, moved_to: str | None) -> str:
    target = moved_to or path
    header = f"diff --git {_quoted('a/' + path)} {_quoted('b/' + target)}\n"
    if change.kind == "add":
        return f"{header}new file mode 100644\n{_whole(change.diff, path, added=True)}"
    if change.kind == "delete":
        return f"{header}deleted file mode 100644\n{_whole(change.diff, path, added=False)}"
    if moved_to is not None:
        header += f"rename from {_quoted(path)}\nrename to {_quoted(moved_to)}\n"
    hunks = _hunks(change.diff)
    if not hunks:
        return header
    return f"{header}--- {_quoted('a/' + path)}\n+++ {_quoted('b/' + target)}\n{hunks}"


def _whole(content: str, path: str, *, added: bool) -> str:
    """Return the hunk that adds or deletes a whole file."""
    if not content:
        return ""
    lines = content.split("\n")
    ended = lines[-1] == ""
    lines = lines[:-1] if ended else lines
    sign = "+" if added else "-"
    names = ("/dev/null", _quoted("b/" + path)) if added else (_quoted("a/" + path), "/dev/null")
    where = f"@@ -0,0 +1,{len(lines)} @@" if added else f"@@ -1,{len(lines)} +0,0 @@"
    body = "".join(f"{sign}{line}\n" for line in lines)
    end = "" if ended else "\\ No newline at end of file\n"
    return f"--- {names[0]}\n+++ {names[1]}\n{where}\n{body}{end}"


def _hunks(diff: str) -> str:
    """Return the hunks of a unified diff, without what stands before and after them."""
    lines = diff.split("\n")
    begin = next((index for index, line in enumerate(lines) if line.startswith("@@ ")), None)
    if begin is None:
        return ""
    kept = list(takewhile(lambda line: line[:1] in ("", "@", "+", "-", " ", "\\"), lines[begin:]))
    while kept and not kept[-1]:
        kept.pop()
    return "".join(f"{line or ' '}\n" for line in kept)


def _quoted(path: str) -> str:
    """Return a path as git writes it in a patch: quoted if it has special characters."""
    if path.isascii() and all(character.isprintable() and character not in '"\\ ' for character in path):
        return path
    data = path.encode("utf-8", "surrogateescape")
    shown = "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03o}" for byte in data)
    return f'"{shown}"'
