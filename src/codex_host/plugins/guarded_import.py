"""Import modules of trusted plugins only if their content is what was trusted, whenever they are imported."""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from typing import TYPE_CHECKING

from codex_host.plugins.contents import digest_of_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from codex_host.plugins.contents import Contents


class TrustedImports:
    """A meta path finder in front of all others, for the modules of trusted plugins.

    Source is compiled each time, since cached byte code could come from anywhere. A module that was changed or added
    since the plugin was trusted is refused, also when it is first imported in the middle of a turn.
    """

    def __init__(self) -> None:
        self._contents: dict[str, Contents] = {}
        self._entries: dict[str, str] = {}
        self._top_levels: dict[str, list[str]] = {}

    def add(self, plugin: str, entry: str, contents: Contents) -> None:
        """Guard the modules of a plugin.

        :param entry: value of its entry point.
        """
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)
        self._contents[plugin] = contents
        self._entries[plugin] = entry.partition(":")[0].partition(".")[0]
        for top in contents.top_levels:
            self._top_levels[top] = [*(each for each in self._top_levels.get(top, ()) if each != plugin), plugin]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module through the other finders, and verify it.

        :raises ImportError: when its content is not what was trusted.
        """
        top = fullname.partition(".")[0]
        plugins = self._top_levels.get(top)
        if plugins is None:
            return None
        spec = _found_by_others(self, fullname, path, target)
        if spec is None or spec.origin is None or not spec.has_location:
            return spec
        for plugin in plugins:
            contents = self._contents[plugin]
            if any(spec.origin == root or spec.origin.startswith(root + os.sep) for root in contents.roots):
                return _checked(spec, plugin, contents.digests.get(spec.origin))
        hidden = [plugin for plugin in plugins if self._entries[plugin] == fullname]
        if hidden:
            raise ImportError(f"{spec.origin} stands in front of what was trusted of plugin {hidden[0]}", name=fullname)
        return spec


IMPORTS = TrustedImports()
"""The finder of this process."""


class _Source(SourceFileLoader):
    """Compiles trusted source without reading or writing byte code.

    :param digest: expected hash of the source.
    """

    def __init__(self, fullname: str, path: str, *, plugin: str, digest: str) -> None:
        super().__init__(fullname, path)
        self._plugin = plugin
        self._digest = digest

    def path_stats(self, path: str) -> dict[str, float]:
        """Report no file state, which disables cached byte code."""
        raise OSError

    def get_data(self, path: str) -> bytes:
        """Read a file and verify the hash of the source."""
        from hashlib import sha256

        data = super().get_data(path)
        if path == self.path and sha256(data).hexdigest() != self._digest:
            raise _changed(path, self._plugin)
        return data


def _found_by_others(
    own: TrustedImports, fullname: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    for finder in sys.meta_path:
        find = None if finder is own else getattr(finder, "find_spec", None)
        spec: ModuleSpec | None = find(fullname, path, target) if find is not None else None
        if spec is not None:
            return spec
    return None


def _checked(spec: ModuleSpec, plugin: str, digest: str | None) -> ModuleSpec:
    origin = spec.origin or ""
    if digest is None:
        raise ImportError(
            f"{origin} was not there when plugin {plugin} was trusted (run: codex plugins trust {plugin})",
            name=spec.name,
            path=origin,
        )
    if type(spec.loader) is SourceFileLoader:
        spec.loader = _Source(spec.name, origin, plugin=plugin, digest=digest)
        spec.cached = None
    elif digest_of_file(origin) != digest:
        raise _changed(origin, plugin)
    return spec


def _changed(path: str, plugin: str) -> ImportError:
    text = f"{path} changed since plugin {plugin} was trusted (run: codex plugins trust {plugin})"
    return ImportError(text, path=path)
