"""Resolve a policy for a working directory: which paths can be read, which written, which neither."""

from __future__ import annotations

import os
import posixpath

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.light import NamedTuple, cached_property
from codex_hookspecs.types.permissions import RANK, FileSystemPolicy, GlobPattern, SpecialPath

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from codex_hookspecs.types.permissions import Access


class PolicyContext(NamedTuple):
    """Where a command runs.

    :param cwd: absolute workspace of the policy.
    :param tmpdir: what ``$TMPDIR`` names, absolute, or ``None``.
    :param slash_tmp: ``/tmp`` is a directory.
    :param project_roots: absolute directories of the project; the cwd when there are none.
    """

    cwd: str
    tmpdir: str | None = None
    slash_tmp: bool = True
    project_roots: tuple[str, ...] = ()

    @classmethod
    def of(cls, cwd: str, env: Mapping[str, str], project_roots: tuple[str, ...] = ()) -> PolicyContext:
        """Return the context of a command.

        :raises ConfigError: when a directory is not absolute.
        """
        for directory in (cwd, *project_roots):
            if not posixpath.isabs(directory):
                raise ConfigError(f"a sandbox policy needs an absolute working directory, found {directory!r}")
        tmpdir = env.get("TMPDIR") or ""
        return cls(
            cwd=cwd,
            tmpdir=tmpdir if posixpath.isabs(tmpdir) else None,
            slash_tmp=os.path.isdir("/tmp"),  # noqa: S108
            project_roots=project_roots,
        )


class PathRule(NamedTuple):
    """An entry at its path.

    :param path: absolute, without dot segments, links not resolved.
    """

    path: str
    access: Access
    skip_missing: bool = False


class ResolvedPolicy:
    """A policy whose special paths are resolved; links in paths are not.

    :param policy: any kind.
    :param place: what the special paths stand for.
    """

    def __init__(self, policy: FileSystemPolicy, place: PolicyContext) -> None:
        self.policy = policy
        self.place = place
        self.restricted = policy.kind == "restricted"
        self.rules: tuple[PathRule, ...] = tuple(dict.fromkeys(_rules(policy, place))) if self.restricted else ()
        self.globs: tuple[str, ...] = tuple(
            entry.where.pattern for entry in policy.entries if isinstance(entry.where, GlobPattern)
        )

    def access(self, path: str) -> Access:
        """Return what may be done at an absolute path.

        The rule with the most path components decides; of equals ``none`` before ``write`` before ``read``. Where no
        rule applies, nothing may be done.
        """
        if not self.restricted:
            return "write"
        found, accesses = "/" + "/".join(_parts(path)), self._accesses
        while found not in accesses and found != "/":
            found = posixpath.dirname(found)
        return accesses.get(found, "none")

    @cached_property
    def full_read(self) -> bool:
        """Whether everything can be read."""
        if not self.restricted:
            return True
        return self.access("/") != "none" and not self.globs and all(rule.access != "none" for rule in self.rules)

    @cached_property
    def full_write(self) -> bool:
        """Whether everything can be written."""
        if not self.restricted:
            return True
        return (
            self.access("/") == "write"
            and not self.globs
            and all(self.access(rule.path) == "write" for rule in self.rules)
        )

    @cached_property
    def platform_defaults(self) -> bool:
        """Whether system directories can be read although not everything can."""
        return not self.full_read and any(
            isinstance(entry.where, SpecialPath) and entry.where.kind == "minimal" and entry.access != "none"
            for entry in self.policy.entries
        )

    @cached_property
    def readable_roots(self) -> tuple[str, ...]:
        """Paths whose trees can be read, in order; empty when everything can."""
        if self.full_read:
            return ()
        return tuple(dict.fromkeys(rule.path for rule in self._effective if rule.access != "none"))

    @cached_property
    def writable_roots(self) -> tuple[str, ...]:
        """Paths whose trees can be written, in order, as they were spelled."""
        return tuple(dict.fromkeys(rule.path for rule in self._effective if rule.access == "write"))

    @cached_property
    def named_roots(self) -> tuple[str, ...]:
        """The writable roots that the policy names by path, not by a special path."""
        named = {normalize_path(entry.where) for entry in self.policy.entries if isinstance(entry.where, str)}
        return tuple(root for root in self.writable_roots if root in named)

    @cached_property
    def unreadable_roots(self) -> tuple[str, ...]:
        """Paths that can be neither read nor written, in order; never the root directory."""
        return tuple(dict.fromkeys(r.path for r in self._effective if r.access == "none" and r.path != "/"))

    def read_only_subpaths(self, root: str) -> tuple[PathRule, ...]:
        """Return the rules strictly below a writable root that keep it from being written there."""
        return tuple(
            dict.fromkeys(
                rule
                for rule in self._effective
                if rule.access != "write" and rule.path != root and is_below(rule.path, root)
            )
        )

    @cached_property
    def signature(self) -> tuple[object, ...]:
        """The meaning of the policy; policies with equal signatures are enforced alike."""
        return (
            self.full_read,
            self.full_write,
            self.platform_defaults,
            frozenset(self.readable_roots),
            frozenset(
                (root, frozenset(rule.path for rule in self.read_only_subpaths(root))) for root in self.writable_roots
            ),
            frozenset(self.unreadable_roots),
            frozenset(self.globs),
        )

    @cached_property
    def _accesses(self) -> dict[str, Access]:
        """What may be done at the path of each rule."""
        accesses: dict[str, Access] = {}
        for rule in sorted(self.rules, key=lambda rule: RANK[rule.access]):
            accesses[rule.path] = rule.access
        return accesses

    @cached_property
    def _effective(self) -> tuple[PathRule, ...]:
        return tuple(rule for rule in self.rules if self.access(rule.path) == rule.access)


def normalize_path(path: str) -> str:
    """Return an absolute path without dot segments and doubled slashes."""
    return "/" + posixpath.normpath(path).lstrip("/") if path != "/" else path


def is_below(path: str, root: str) -> bool:
    """Tell whether a normalized path is a root or in its tree."""
    return root in ("/", path) or path.startswith(f"{root}/")


def _rules(policy: FileSystemPolicy, place: PolicyContext) -> Iterator[PathRule]:
    for entry in policy.entries:
        if isinstance(entry.where, GlobPattern):
            continue
        paths = _special(entry.where, place) if isinstance(entry.where, SpecialPath) else (entry.where,)
        for path in paths:
            if not posixpath.isabs(path):
                raise ConfigError(f"a sandbox policy takes absolute paths, found {path!r}")
            if "\0" in path:
                raise ConfigError(f"a sandbox policy has a path with a NUL byte: {path!r}")
            yield PathRule(normalize_path(path), entry.access, entry.skip_missing)


def _special(special: SpecialPath, place: PolicyContext) -> tuple[str, ...]:
    if special.kind == "root":
        return ("/",)
    if special.kind == "current_working_directory":
        return (_joined(place.cwd, special.subpath),)
    if special.kind == "project_roots":
        return tuple(_joined(root, special.subpath) for root in place.project_roots or (place.cwd,))
    if special.kind == "tmpdir":
        return (place.tmpdir,) if place.tmpdir else ()
    if special.kind == "slash_tmp":
        return ("/tmp",) if place.slash_tmp else ()  # noqa: S108
    return ()


def _joined(root: str, subpath: str | None) -> str:
    if not subpath:
        return root
    if posixpath.isabs(subpath) or ".." in subpath.split("/"):
        raise ConfigError(f"a sandbox policy has the subpath {subpath!r}; allowed are relative paths without `..`")
    return posixpath.join(root, subpath)


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part]
