"""Plan how a file system policy is enforced on the files there are: what Linux launchers mount, protect and hide."""

from __future__ import annotations

import os
import stat

from codex_hookspecs.errors import ConfigError, SandboxUnavailable
from codex_hookspecs.light import NamedTuple
from codex_sandboxing.linux.path_walk import Traced, below, trace
from codex_sandboxing.own_places import is_closed, libraries, own_places
from codex_sandboxing.protected_paths import protected_paths
from codex_sandboxing.resolved import ResolvedPolicy, is_below, normalize_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

PLATFORM_PATHS = ("/bin", "/sbin", "/usr", "/etc", "/lib", "/lib64", "/nix/store", "/run/current-system/sw")
"""System directories that programs need to read; those that exist count."""

_MOST_PARTS = 500


class FilesystemPlan(NamedTuple):
    """A policy in terms of real paths; in each group parents come before children.

    :param readable: trees that can be read, by their spelled and real paths; empty when everything can be read.
    :param writable: trees that can be written.
    :param kept: read-only paths in writable trees, or writable roots that become read-only.
    :param missing: those of them that do not exist and must not be created.
    :param links: symbolic links in writable trees that must not be replaced.
    :param hidden: existing paths that can be neither read nor written.
    :param opened: existing paths below a hidden one that can be used, each with its access.
    """

    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    opened: tuple[tuple[str, str], ...] = ()


class _CannotEnforce(Exception):
    """Raised with the reason and the remedy when a policy can't be enforced."""


def plan_filesystem(policy: ResolvedPolicy, launcher: str, home: str | None = None) -> FilesystemPlan:
    """Return how a policy is enforced on the files there are.

    :param launcher: name of the launcher, for the error.
    :param home: ``$CODEX_HOME``, which commands can't write unless the policy names it or a path in it.
    :raises SandboxUnavailable: when it can't be enforced on the files there are.
    """
    try:
        return _Planner(policy, home).plan()
    except (_CannotEnforce, ConfigError) as error:
        raise SandboxUnavailable(
            f"the command was not run: {launcher} cannot enforce the sandbox policy: {error}"
        ) from error


def _untrusted_symlink(spelled: str, found: Traced, replaceable: Sequence[str]) -> _CannotEnforce:
    return _CannotEnforce(
        f"{spelled} leads to {found.end} through the link {replaceable[0]}, which commands can make; "
        "name the place itself in the policy"
    )


class _Planner:
    """Collects the paths of a plan.

    :raises _CannotEnforce: when the files there are do not allow enforcing the policy.
    """

    def __init__(self, policy: ResolvedPolicy, home: str | None) -> None:
        self._policy = policy
        self._home = home
        self._own_places = own_places(home)
        self._matches: dict[str, None] = {}
        self._writable: dict[str, None] = {}
        self._kept: dict[str, None] = {}
        self._missing: dict[str, None] = {}
        self._links: dict[str, None] = {}
        self._hidden: dict[str, None] = {}
        self._sealed: dict[str, None] = {}
        self._named: list[str] = []

    def plan(self) -> FilesystemPlan:
        policy = self._policy
        self._find_writable()
        if not policy.restricted:
            return FilesystemPlan(writable=("/",))
        self._find_matches()
        for root in tuple(self._writable):
            self._protect(root)
        for rule in policy.rules:
            if rule.access == policy.access(rule.path) != "write":
                skipped = rule.skip_missing and not os.path.lexists(rule.path)
                if rule.access == "none" and rule.path != "/":
                    self._hide(rule.path)
                elif not skipped:
                    self._keep(rule.path)
        parts = self._open_sealed()
        writable = [root for root in (*self._writable, *parts) if root not in self._sealed]
        covered = {path for path in self._missing if self._is_closed(path)}
        return FilesystemPlan(
            readable=self._readable(),
            writable=_by_depth(writable),
            kept=_by_depth((*(path for path in self._kept if path not in covered), *self._sealed)),
            missing=_by_depth(path for path in self._missing if path not in covered),
            links=_by_depth(link for link in self._links if not self._is_closed(link)),
            hidden=_by_depth(self._hidden),
            opened=tuple(self._opened()),
        )

    def _find_writable(self) -> None:
        """Find the writable roots that exist.

        One that is reached through a symbolic link which a sandboxed command could have created, and that is outside of
        all other writable roots, is refused.
        """
        traced = {spelled: self._root(spelled) for spelled in self._policy.writable_roots}
        there = {spelled: found.end for spelled, found in traced.items() if not found.rest}
        replaceable = {
            spelled: _links_in(links, [end for other, end in there.items() if other != spelled]) if links else []
            for spelled in there
            for links in (traced[spelled].links,)
        }
        named = self._named = [traced[spelled].end for spelled in self._policy.named_roots]
        workspaces = [normalize_path(path) for path in (self._policy.place.cwd, *self._policy.place.project_roots)]
        trusted = [end for spelled, end in there.items() if not replaceable[spelled]]
        for spelled, found in traced.items():
            if found.blocked:
                raise _CannotEnforce(f"{spelled} can't be read; correct the path in the policy")
            if not found.rest and not is_closed(found.end, named, libraries()):
                self._writable.setdefault(found.end)
                if spelled in workspaces:
                    self._links.update(dict.fromkeys(replaceable[spelled]))
                elif replaceable[spelled] and not _lies_in(found.end, trusted):
                    raise _untrusted_symlink(spelled, found, replaceable[spelled])

    def _root(self, spelled: str) -> Traced:
        """Resolve the path of a root; a directory that looks like a placeholder counts as existing here."""
        found = self._traced(spelled)
        there = len(found.rest) == 1 and not found.blocked and os.path.isdir(found.end)
        return Traced(found.end, (), found.links) if there else found

    def _find_matches(self) -> None:
        if not self._policy.globs:
            return
        from codex_sandboxing.globs import Search  # It takes regular expressions, which take a while.

        search = Search()
        for pattern in self._policy.globs:
            for match in search.matches(pattern):
                found = self._traced(match)
                if found.rest or any(is_below(root, found.end) for root in (*self._writable, "/")):
                    if not found.links and not found.rest:
                        raise _CannotEnforce(
                            f"{match}, which can be written, is denied by {pattern}; correct one of them"
                        )
                    continue
                self._matches[found.end] = None
        for path in self._matches:
            if self._is_visible(path):
                self._hidden[path] = None

    def _protect(self, root: str) -> None:
        """Make the protected paths below a writable root read-only."""
        if root == "/" or not _is_directory(root):
            return
        for path in protected_paths(root, self._named):
            self._keep(path)
        for place in self._own_places:
            if place not in self._writable and is_below(place, root):
                self._keep(place)
        if self._home is not None and is_below(self._home, root) and os.path.realpath(self._home) not in self._writable:
            self._keep(self._home)

    def _keep(self, path: str) -> None:
        found = self._followed(path)
        if not found.rest:
            if found.end not in self._writable and self._is_writable(found.end):
                self._kept[found.end] = None
        elif found.blocked:
            if _is_own(found.place) and found.place not in self._writable and self._is_writable(found.place):
                self._kept[found.place] = None
        else:
            self._prevent(found)

    def _hide(self, path: str) -> None:
        found = self._followed(path)
        if not found.rest or found.blocked:
            place = found.place
            if place != "/" and self._is_visible(place) and (not found.blocked or _is_own(place)):
                self._hidden[place] = None
        else:
            self._prevent(found)

    def _prevent(self, found: Traced) -> None:
        """Keep a missing path from being created where commands could create it."""
        if not self._is_writable(found.place):
            return
        if os.access(found.place, os.W_OK) or not _is_own(found.place):
            path = below(found.place, found.rest[0])
            self._missing[path] = self._kept[path] = None
        else:
            self._sealed[found.place] = None

    def _followed(self, path: str) -> Traced:
        """Resolve a path whose symbolic links must not be replaced."""
        found = self._traced(path)
        for link in found.links:
            if self._is_writable(os.path.dirname(link)):
                self._links[link] = None
        return found

    def _traced(self, path: str) -> Traced:
        try:
            return trace(path)
        except OSError as error:
            raise _CannotEnforce(f"{path}: {error.strerror}; correct the path in the policy") from error

    def _open_sealed(self) -> Iterator[str]:
        """Yield the entries of directories that are read-only as a whole, so that the entries stay writable.

        A user who owns a directory without write permission can't create anything in it, but a command could change its
        mode.
        """
        for folder in self._sealed:
            entries = [below(folder, name) for name in os.listdir(folder)]
            if len(entries) > _MOST_PARTS:
                raise _CannotEnforce(
                    f"{folder} is read-only and has more than {_MOST_PARTS} entries, so that what is missing in it "
                    "can't be kept from being created; make it writable"
                )
            closed = (*self._kept, *self._hidden)
            yield from (path for path in entries if path not in closed and not os.path.islink(path))

    def _readable(self) -> tuple[str, ...]:
        policy = self._policy
        if policy.full_read or policy.access("/") != "none":
            return ()
        found: dict[str, None] = dict.fromkeys(self._sealed)
        if policy.platform_defaults:
            found.update(dict.fromkeys(PLATFORM_PATHS))
        for spelled in policy.readable_roots:
            traced = self._traced(spelled)
            if not traced.rest and traced.end not in self._writable and policy.access(spelled) == "read":
                replaceable = _links_in(traced.links, self._writable)
                if replaceable and not self._is_writable(traced.end):
                    raise _untrusted_symlink(spelled, traced, replaceable)
                found |= {spelled: None, traced.end: None}
        return tuple(sorted(path for path in found if os.path.exists(path)))

    def _opened(self) -> Iterator[tuple[str, str]]:
        """Yield the usable paths below hidden ones, parents before children."""
        found: dict[tuple[str, str], None] = {}
        for rule in self._policy.rules:
            if rule.access == "none" or self._policy.access(rule.path) != rule.access:
                continue
            traced = self._traced(rule.path)
            inside = any(traced.end != path and is_below(traced.end, path) for path in self._hidden)
            if inside and not traced.rest and not self._is_matched(traced.end):
                found[traced.end, rule.access] = None
        yield from sorted(found, key=lambda each: _depth(each[0]))

    def _is_writable(self, path: str) -> bool:
        return _lies_in(path, self._writable)

    def _is_matched(self, path: str) -> bool:
        return _lies_in(path, self._matches)

    def _is_closed(self, path: str) -> bool:
        """Tell whether a path is below a read-only or hidden one, and in no writable root inside of that."""
        closed = False
        while not closed and path not in self._writable and (above := os.path.dirname(path)) != path:
            path = above
            closed = path in self._kept or path in self._hidden
        return closed and path not in self._writable

    def _is_visible(self, path: str) -> bool:
        policy = self._policy
        if policy.access("/") != "none":
            return True
        opened = [self._traced(root).end for root in policy.readable_roots]
        return _lies_in(path, (*opened, *(PLATFORM_PATHS if policy.platform_defaults else ())))


def _links_in(links: Sequence[str], roots: Collection[str]) -> list[str]:
    """Return the links whose directories are in one of some trees."""
    return [link for link in links if _lies_in(os.path.dirname(link), roots)]


def _lies_in(path: str, roots: Collection[str]) -> bool:
    while path not in roots:
        above = os.path.dirname(path)
        if above == path:
            return False
        path = above
    return True


def _is_directory(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _is_own(path: str) -> bool:
    try:
        return os.stat(path).st_uid == os.geteuid() != 0
    except OSError:
        return False


def _by_depth(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(dict.fromkeys(paths), key=_depth))


def _depth(path: str) -> int:
    return path.rstrip("/").count("/")
