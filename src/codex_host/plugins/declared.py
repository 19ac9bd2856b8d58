"""Compare a plugin's manifest with its implementations, to report what an author forgot."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from codex_host.plugins.manifest import FILE_NAME
from codex_host.plugins.signatures import implementations, is_marked, unknown_hook

if TYPE_CHECKING:
    from codex_host.plugins.manifest import Manifest


def mistakes(plugin: object, manifest: Manifest, known: Collection[str]) -> list[str]:
    """Return the differences, each with the fix.

    :param plugin: module or object that carries implementations.
    :param known: names of all hooks.
    """
    implemented = {hook for hook, _ in implementations(plugin)}
    unmarked = dict(_unmarked(plugin, known))
    found = [
        f"the function {name} ({place}) has the name of a hook but is not marked as one; "
        "write @hookimpl above it, or begin its name with _"
        for name, place in unmarked.items()
    ]
    for hook in manifest.hooks:
        if hook not in known:
            found.append(f"{FILE_NAME} lists the hook {hook}: {unknown_hook(hook, sorted(known))}")
        elif hook not in implemented and hook not in unmarked:
            found.append(f"{FILE_NAME} lists the hook {hook}, which it does not implement; take it off the list")
    if manifest.hooks:
        found += [
            f"it implements the hook {hook}, which {FILE_NAME} does not list; add it to hooks there"
            for hook in sorted(implemented.difference(manifest.hooks))
        ]
    return found


def _unmarked(plugin: object, known: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield functions of the plugin that are named like hooks but not marked, with file and line."""
    module = getattr(plugin, "__name__", None) or type(plugin).__module__
    for name in sorted(set(known).difference(hook for hook, _ in implementations(plugin))):
        value: Any = getattr(plugin, name, None)
        code = getattr(getattr(value, "__func__", value), "__code__", None)
        if code is not None and getattr(value, "__module__", None) == module and not is_marked(value):
            yield name, f"{code.co_filename}:{code.co_firstlineno}"
