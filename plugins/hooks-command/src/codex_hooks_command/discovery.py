"""Collect the handlers of all configuration layers, number them and decide which may run."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import evolve

from codex_hooks_command import matching, parsing, trust
from codex_hooks_command.config_probe import FILE_NAME, SETTINGS
from codex_hooks_command.events import Event
from codex_hooks_command.files import HookFiles
from codex_hooks_command.handlers import Handler, HookFile, HookSource, RegisteredHook, ThreadSourceKind
from codex_hooks_command.trust import Acceptance
from codex_hookspecs import frozen
from codex_hookspecs.environments import main_repository, project_root

if TYPE_CHECKING:
    from codex_hookspecs.host import ConfigLayer, LayerKind

BYPASS_WARNING = (
    "hook trust is bypassed (--dangerously-bypass-hook-trust or bypass_hook_trust): "
    "hooks that nobody has reviewed may run"
)
_SOURCES: dict[LayerKind, ThreadSourceKind] = {
    "system": "system",
    "managed": "system",
    "user": "user",
    "profile": "user",
    "project": "project",
    "sessionFlags": "sessionFlags",
}
_Found = tuple[HookSource, HookFile]


@frozen(kw_only=True)
class Registry:
    """The handlers that are configured for one directory.

    :param handlers: all handlers in numbering order, including skipped ones.
    :param warnings: messages for the user, without duplicates.
    :param notes: messages that only a listing shows.
    :param unreadable_gates: errors due to which configured gates may be missing among the handlers.
    """

    handlers: tuple[RegisteredHook, ...] = ()
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unreadable_gates: tuple[str, ...] = ()

    def matching(self, event: Event, subjects: Sequence[str] | None) -> list[RegisteredHook]:
        """Return the handlers to run for an event, in configured order."""
        return [
            registered
            for registered in self.handlers
            if registered.handler.event is event
            and registered.skipped is None
            and matching.matches(registered.handler.matcher, subjects)
        ]


def discover(
    layers: Sequence[ConfigLayer], files: HookFiles, *, bypass: bool = False, further: Sequence[_Found] = ()
) -> Registry:
    """Collect the handlers of all layers.

    :param layers: lowest precedence first, including disabled ones.
    :param files: reads files that have changed since the layers were read.
    :param bypass: run handlers that have not been reviewed.
    :param further: handlers of bundles, numbered after those of the layers.
    """
    warnings: list[str] = []
    layers = [files.refresh(layer, warnings) for layer in layers]
    found = [*_found_in(layers, files, warnings), *further]
    accepted = read_acceptances(layers)
    # Disabled files come last, so that they do not shift the numbers that are part of run ids.
    found.sort(key=lambda pair: pair[0].disabled is not None)
    pairs = [(source, handler) for source, content in found for handler in content.handlers]
    handlers = tuple(
        _register(number, source, handler, accepted, bypass=bypass) for number, (source, handler) in enumerate(pairs)
    )
    usable = [content for source, content in found if source.disabled is None]
    if bypass and handlers:
        warnings.append(BYPASS_WARNING)
    warnings += [warning for content in usable for warning in content.warnings]
    warnings += _skip_warnings(handlers)
    notes = [note for content in usable for note in content.notes]
    unreadable_gates = [reason for content in usable for reason in content.unreadable_gates]
    return Registry(
        handlers=handlers,
        warnings=tuple(dict.fromkeys(warnings)),
        notes=tuple(notes),
        unreadable_gates=tuple(unreadable_gates),
    )


def read_acceptances(layers: Sequence[ConfigLayer]) -> dict[str, Acceptance]:
    """Return which handlers the user has accepted or disabled, by key; project layers are ignored."""
    found: dict[str, Acceptance] = {}
    for layer in layers:
        hooks = layer.table.get("hooks")
        states = hooks.get("state") if isinstance(hooks, Mapping) else None
        if layer.kind == "project" or not isinstance(states, Mapping):
            continue
        for key, state in states.items():
            if isinstance(state, Mapping):
                found[key] = _merge_acceptance(state, found.get(key, Acceptance()))
    return found


def _merge_acceptance(state: Mapping[str, object], before: Acceptance) -> Acceptance:
    trusted_hash, enabled = state.get("trusted_hash"), state.get("enabled")
    if isinstance(trusted_hash, str):
        before = evolve(before, trusted_hash=trusted_hash)
    return evolve(before, enabled=enabled) if isinstance(enabled, bool) else before


def _found_in(layers: Sequence[ConfigLayer], files: HookFiles, warnings: list[str]) -> Iterator[_Found]:
    seen: set[str] = set()
    for layer in layers:
        in_json = _json_of(layer, files, seen)
        in_table = _table_of(layer, seen)
        if in_json and in_table and in_json[1].handlers and in_table[1].handlers and layer.disabled_reason is None:
            warnings.append(
                f"loading hooks from both {in_json[0].path} and {in_table[0].path}; "
                "prefer a single representation for this layer"
            )
        yield from filter(None, (in_json, in_table))


def _json_of(layer: ConfigLayer, files: HookFiles, seen: set[str]) -> _Found | None:
    path = None if layer.folder is None else os.path.join(layer.folder, FILE_NAME)
    # A profile has the folder of the user's configuration; its hooks.json must not be read twice.
    if path is None or path in seen or (content := files.read(path)) is None:
        return None
    seen.add(path)
    return _origin(layer, path, path), content


def _table_of(layer: ConfigLayer, seen: set[str]) -> _Found | None:
    table = layer.table.get("hooks")
    if table is None or (isinstance(table, Mapping) and SETTINGS.issuperset(table)):
        return None
    path = layer.file or f"/<{layer.kind}>/config.toml"
    key = f"{path}#{layer.kind}" if path in seen else path
    seen.add(path)
    return _origin(layer, path, key), parsing.parse_table(table, path)


def _origin(layer: ConfigLayer, path: str, key: str) -> HookSource:
    disabled = layer.disabled_reason
    if disabled is not None and layer.folder is not None:
        command = f"codex hooks trust --project --all -C {shlex.quote(os.path.dirname(layer.folder))}"
        disabled = f"{disabled}; to trust it with its hooks, run: {command}"
    linked = _in_main_repository(key) if layer.kind == "project" else None
    return HookSource(
        path=path,
        key=key,
        kind=_SOURCES[layer.kind],
        disabled=disabled,
        disabled_on_purpose=layer.disabled_on_purpose,
        linked_key=linked,
    )


def _in_main_repository(key: str) -> str | None:
    """Return the key that a file of a linked work tree has in the main work tree."""
    root = project_root(os.path.dirname(key))
    main = None if root is None else main_repository(root)
    return None if root is None or main is None else f"{main}{key[len(root) :]}"


def _register(
    number: int, source: HookSource, handler: Handler, accepted: Mapping[str, Acceptance], *, bypass: bool
) -> RegisteredHook:
    key = trust.key_of(source, handler)
    found_under = key if key in accepted or source.linked_key is None else trust.key_of(source, handler, linked=True)
    known = accepted.get(found_under, Acceptance())
    status = trust.trust_status(source, handler, known)
    return RegisteredHook(
        handler=handler,
        source=source,
        display_order=number,
        key=key,
        enabled=known.enabled is not False or source.kind == "system",
        trust=status,
        skipped=trust.skip_reason(key, source, known, status, bypass=bypass),
        accepted_key=found_under,
        reviewed=not bypass and known.trusted_hash is not None and known.trusted_hash == trust.hash_of(handler),
    )


def _skip_warnings(handlers: Sequence[RegisteredHook]) -> Iterator[str]:
    not_counting: dict[str, list[str]] = {}
    for registered in handlers:
        handler, source = registered.handler, registered.source
        if registered.skipped is None or source.disabled_on_purpose:
            continue
        if source.disabled is not None:
            not_counting.setdefault(source.path, []).append(registered.skipped)
        else:
            yield f"{handler.event.spec.name} hook {handler.label} in {source.path} is not run: {registered.skipped}"
    for path, reasons in not_counting.items():
        counted = "1 hook is" if len(reasons) == 1 else f"{len(reasons)} hooks are"
        yield f"{counted} not run in {path}: {reasons[0]}"
