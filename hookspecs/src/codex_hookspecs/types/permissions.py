"""Sandbox policies in the split form that launchers enforce: file system entries, and network access.

The values are named tuples, so that fast commands need not import attrs. Names as in Codex 0.118 to 0.169
(``FileSystemSandboxPolicy``, ``NetworkSandboxPolicy``).
"""

from __future__ import annotations

from codex_hookspecs.light import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    Access = Literal["none", "read", "write"]
    FileSystemKind = Literal["restricted", "unrestricted", "external-sandbox"]
    Network = Literal["restricted", "enabled"]
    SpecialKind = Literal[
        "root", "minimal", "current_working_directory", "project_roots", "tmpdir", "slash_tmp", "unknown"
    ]
    PathSpec: TypeAlias = "str | SpecialPath | GlobPattern"
    """An absolute path, or one of the other two forms."""
else:
    Access = FileSystemKind = Network = SpecialKind = PathSpec = str

SPECIAL_KINDS: tuple[SpecialKind, ...] = (
    "root",
    "minimal",
    "current_working_directory",
    "project_roots",
    "tmpdir",
    "slash_tmp",
    "unknown",
)
RANK: dict[str, int] = {"read": 0, "write": 1, "none": 2}
"""Precedence of access among entries for the same path."""


class SpecialPath(NamedTuple):
    """A path that depends on where a command runs.

    :param kind: ``minimal`` stands for the system files that programs need to read.
    :param subpath: relative path below a project root, or ``None``.
    :param path: name of an ``unknown`` entry, which is kept but ignored, so that newer configurations can be loaded.
    """

    kind: SpecialKind
    subpath: str | None = None
    path: str | None = None


class GlobPattern(NamedTuple):
    """A pattern of inaccessible paths; only for entries with access ``none``.

    :param pattern: absolute, with ``*``, ``**`` and ``?``.
    """

    pattern: str


class FileSystemEntry(NamedTuple):
    """One rule.

    :param where: path, pattern, or special path.
    :param access: the access allowed there.
    :param skip_missing: ignore the rule if its path does not exist.
    """

    where: PathSpec
    access: Access
    skip_missing: bool = False


class FileSystemPolicy(NamedTuple):
    """Which files may be read and written; without entries none.

    :param kind: ``unrestricted`` and ``external-sandbox`` allow everything and have no entries.
    :param entries: the rules; for a path the most specific one applies.
    """

    kind: FileSystemKind = "restricted"
    entries: tuple[FileSystemEntry, ...] = ()


class Permissions(NamedTuple):
    """A complete policy.

    :param file_system: policy for files.
    :param network: whether the network may be used.
    """

    file_system: FileSystemPolicy
    network: Network = "restricted"


ROOT = SpecialPath("root")
MINIMAL = SpecialPath("minimal")
CWD = SpecialPath("current_working_directory")
PROJECT_ROOTS = SpecialPath("project_roots")
TMPDIR = SpecialPath("tmpdir")
SLASH_TMP = SpecialPath("slash_tmp")

READ_ONLY = FileSystemPolicy("restricted", (FileSystemEntry(ROOT, "read"),))
UNRESTRICTED = FileSystemPolicy("unrestricted")
EXTERNAL = FileSystemPolicy("external-sandbox")
