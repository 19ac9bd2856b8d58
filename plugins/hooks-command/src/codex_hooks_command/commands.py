"""The command ``codex hooks``: list, trust and untrust handlers."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from textwrap import indent
from typing import TYPE_CHECKING, Any, NoReturn

from codex_hooks_command.listing import format_table, listing_to_wire
from codex_hooks_command.registry_cache import FEATURE, registry_cache_of
from codex_hooks_command.trust import hash_of
from codex_hookspecs.environments import project_root
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.surface import CliCommand, escape_controls

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from codex_hooks_command.discovery import Registry
    from codex_hooks_command.handlers import RegisteredHook
    from codex_hookspecs.host import Host

HELP = "List, trust and untrust command hooks"


def hooks_command() -> CliCommand:
    """Return the command."""
    return CliCommand(name="hooks", help=HELP, run=_run)


async def _run(arguments: Sequence[str], host: Host) -> int:
    parser = _parser()
    try:
        options = parser.parse_args(list(arguments))
    except SystemExit as end:
        # argparse has printed the help (status 0) or an error (status 2).
        return int(end.code or 0)
    run: Callable[[_View, Namespace], None] = options.run
    run(_View(host, options.directory, as_json=options.json), options)
    return 0


class _View:
    """The hooks of one directory, and how to print them.

    :param directory: path as given by the user.
    """

    def __init__(self, host: Host, directory: str, *, as_json: bool) -> None:
        self.directory = os.path.abspath(os.path.join(host.cwd, directory))
        if not os.path.isdir(self.directory):
            raise ConfigError(f"can't look for hooks in {self.directory}: there is no such directory")
        self._host = host
        self._as_json = as_json
        self._config = host.config.for_directory(self.directory)

    @property
    def registry(self) -> Registry | None:
        """The handlers; ``None`` when nothing is configured."""
        return registry_cache_of(self._host).for_listing(self._config, self.directory)

    def show(self) -> None:
        """Print all handlers."""
        if self._as_json:
            _print(json.dumps(listing_to_wire(self.directory, self.registry), ensure_ascii=False, indent=2))
        else:
            _print(format_table(self.registry, home=self._host.environ.get("HOME", "")))
            if not self._host.features.enabled(FEATURE):
                _print("\nNo hook runs: the feature is off (run: codex features enable hooks)")

    def accept_scripts(self, chosen: Sequence[RegisteredHook]) -> None:
        """Save the hashes of the script files of hooks."""
        from codex_hooks_command.acceptance import FILE_NAME, AcceptedScripts

        try:
            AcceptedScripts(self._host.codex_home, self._host.environ).accept(chosen, self.directory)
        except OSError as error:
            raise ConfigError(f"can't write {self._host.codex_home}/{FILE_NAME}: {error}") from error

    def apply(self, edits: dict[str, Any], messages: Sequence[str]) -> None:
        """Write settings and print messages."""
        self._config.write_user(edits)
        if self._as_json:
            self.show()
        else:
            _print("\n".join(messages))


def _parser() -> ArgumentParser:
    from argparse import ArgumentParser

    parser = ArgumentParser(prog="codex hooks", description=f"{HELP}.")
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    for name, help_text, run in (
        ("list", "show every hook with its status", _list),
        ("trust", "accept hooks as they are now, and enable them", _trust),
        ("untrust", "revoke acceptance; hooks of your own are disabled", _untrust),
    ):
        action = actions.add_parser(name, help=help_text, description=f"{help_text[0].upper()}{help_text[1:]}.")
        action.set_defaults(run=run)
        action.add_argument("-C", "--cd", dest="directory", metavar="DIR", default=".", help="look at this directory")
        action.add_argument("--json", action="store_true", help="print JSON in the format of hooks/list")
        if name != "list":
            action.add_argument("keys", nargs="*", metavar="KEY", help="key or number of a hook, as the list shows it")
            action.add_argument("--all", action="store_true", help="every hook of the project")
        if name == "trust":
            action.add_argument("--project", action="store_true", help="trust the project, with its configuration, too")
    return parser


def _list(view: _View, _options: Namespace) -> None:
    view.show()


def _trust(view: _View, options: Namespace) -> None:
    chosen = _choose_hooks(options, view.registry)
    edits: dict[str, Any] = {}
    messages = []
    if options.project:
        root = project_root(view.directory) or view.directory
        edits[f"projects.{_quote(root)}.trust_level"] = "trusted"
        messages.append(f"Trusted project {root}")
    foreign = next((one for one in chosen if one.source.disabled is not None), None)
    if foreign is not None and not options.project:
        raise ConfigError(f"can't trust hooks in {foreign.source.path}: {foreign.source.disabled}")
    for one in chosen:
        edits[f"{_state(one)}.trusted_hash"] = hash_of(one.handler)
        if not one.enabled:
            edits[f"{_state(one)}.enabled"] = True
        messages.append(f"Trusted {_describe(one)}")
    view.accept_scripts(chosen)
    view.apply(edits, messages)


def _untrust(view: _View, options: Namespace) -> None:
    edits: dict[str, Any] = {}
    messages = []
    for one in _choose_hooks(options, view.registry):
        if one.source.kind == "project":
            edits[_state(one)] = None
            messages.append(f"No longer trusted: {_describe(one)}")
        else:
            edits[f"{_state(one)}.enabled"] = False
            messages.append(f"Switched off: {_describe(one)}")
    view.apply(edits, messages)


def _choose_hooks(options: Namespace, registry: Registry | None) -> list[RegisteredHook]:
    handlers = registry.handlers if registry is not None else ()
    if options.all and options.keys:
        _fail("give either keys or --all")
    if options.all:
        chosen = [one for one in handlers if one.source.kind == "project"]
        if not chosen:
            _fail("the project has no hooks")
        return chosen
    if not options.keys:
        _fail("name hooks by key or number, or say --all (see: codex hooks list)")
    by_name = {name: one for one in handlers for name in (str(one.display_order), one.key)}
    for name in options.keys:
        if name not in by_name:
            _fail(f"there is no hook {name!r} here (see: codex hooks list)")
        if by_name[name].source.kind == "system":
            _fail(f"hook {name!r} belongs to the system and always runs")
    return [by_name[name] for name in dict.fromkeys(options.keys)]


def _state(one: RegisteredHook) -> str:
    return f"hooks.state.{_quote(one.key)}"


def _quote(key: str) -> str:
    doubled = key.replace('"', '""')
    return f'"{doubled}"'


def _describe(one: RegisteredHook) -> str:
    """Return the full description of a handler that is about to be accepted."""
    handler = one.handler
    matcher = "" if handler.matcher is None else f" for {handler.matcher}"
    return f"{handler.event.spec.name} hook{matcher} in {one.source.path}:\n{indent(handler.action, '    ')}"


def _fail(message: str) -> NoReturn:
    raise ConfigError(message, source="codex hooks")


def _print(text: str) -> None:
    sys.stdout.write(f"{escape_controls(text)}\n")
