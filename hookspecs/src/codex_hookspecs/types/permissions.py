"""Policies in the split form that launchers enforce: entries of the file system, and the network.

The values are named tuples, so that a command that only runs another one need not import attrs. Forms
and words of Codex 0.118 to 0.169 (``FileSystemSandboxPolicy``, ``NetworkSandboxPolicy``).
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
"""Which access wins among entries for the same path."""


class SpecialPath(NamedTuple):
    """A path that depends on where a command runs.

    :param kind: ``minimal`` stands for what programs of the platform need to be read.
    :param subpath: relative path below a project root, or ``None``.
    :param path: what an ``unknown`` entry names; kept and ignored, so that newer configuration still loads.
    """

    kind: SpecialKind
    subpath: str | None = None
    path: str | None = None


class GlobPattern(NamedTuple):
    """A pattern of paths that can't be touched; only entries with access ``none`` have one.

    :param pattern: absolute, with ``*``, ``**`` and ``?``.
    """

    pattern: str


class FileSystemEntry(NamedTuple):
    """One rule.

    :param where: path, pattern, or special path that the rule is for.
    :param access: what may be done there.
    :param skip_missing: the rule does not hold where nothing exists at its path.
    """

    where: PathSpec
    access: Access
    skip_missing: bool = False


class FileSystemPolicy(NamedTuple):
    """What may be read and written; without entries nothing may.

    :param kind: ``unrestricted`` and ``external-sandbox`` allow everything and have no entries.
    :param entries: the rules; for one path the most specific counts.
    """

    kind: FileSystemKind = "restricted"
    entries: tuple[FileSystemEntry, ...] = ()


class Permissions(NamedTuple):
    """A whole policy as it is enforced.

    :param file_system: what may be done with files.
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
