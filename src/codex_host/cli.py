"""The program ``codex``: global options, then a sub-command of the host or of a plugin."""

from __future__ import annotations

import errno
import gc
import os
import sys

from codex_host.process.signals import SIGNALS

TYPE_CHECKING = False  # Avoids the import of typing when a fast command runs.
if TYPE_CHECKING:
    from collections.abc import Sequence

    from codex_hookspecs.errors import ConfigError
    from codex_hookspecs.ports.surface import CliCommand
    from codex_host.app import Application
    from codex_host.options import GlobalOptions, Trailing
    from codex_host.plugins.manifest import FoundPlugin, Manifest

USAGE = "Usage: codex [OPTIONS] COMMAND [ARGS]"
_PROGRAM_NAMES = ("codex", "__main__.py")
_HOST_COMMANDS = ("completion", "features", "help", "plugins")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit status.

    :param arguments: by default those of the command line; signals and exit of the process are handled only then.
    """
    if arguments is not None:
        try:
            return _main(list(arguments))
        except KeyboardInterrupt:
            return SIGNALS.status
    from codex_host.process.descriptors import open_missing
    from codex_host.process.ending import ENDING

    # Imported objects live as long as the program; collecting during imports took a fifteenth of a turn's time.
    gc.disable()  # until the event loop runs
    SIGNALS.install()
    try:
        SIGNALS.raises = True
        open_missing()
        ENDING.install()
        status = _main([*_command_from_link(sys.argv[0]), *sys.argv[1:]])
        SIGNALS.raises = False
    except KeyboardInterrupt:
        status = SIGNALS.status
    except Exception:
        if not SIGNALS.received:
            raise
        status = SIGNALS.status  # An interrupt in C code, of an import for instance, can turn into any error.
    ENDING.begin(status)
    ENDING.flush()
    return ENDING.status


def _main(words: Sequence[str]) -> int:
    if words in (["--version"], ["-V"]):
        from codex_host import __version__

        print(f"codex-host {__version__}")
        return 0
    from codex_hookspecs.errors import CodexError, ConfigError, UsageError
    from codex_host.fast_commands import run_fast_command

    try:
        run_fast_command(words, os.environ)
    except CodexError as error:
        return _fail(str(error))
    from codex_host.options import parse

    try:
        options = parse(words, cwd=os.getcwd(), trailing=_trailing)
    except ConfigError as error:
        unknown_feature = error.message.startswith("Unknown feature")
        return _fail(str(error)) if unknown_feature else _report_usage_error(error)
    except FileNotFoundError:
        return _fail("the working directory does not exist any more")
    try:
        status = _run(options)
        sys.stdout.flush()
        return status
    except UsageError as error:
        return _report_usage_error(error)
    except CodexError as error:
        return _fail(str(error))
    except BrokenPipeError:
        return _no_output(None)
    except Exception as error:
        SIGNALS.check()
        if isinstance(error, OSError) and _is_output_error(error):
            return _no_output(error)
        if os.environ.get("CODEX_LOG"):
            raise
        return _fail(f"internal error: {type(error).__name__}: {error} (CODEX_LOG=debug shows where)")


def _is_output_error(error: OSError) -> bool:
    """Return whether an error means that standard output can't be written."""
    try:
        sys.stdout.flush()
    except OSError as again:
        return again.errno == error.errno
    # Data too long for the buffer is dropped at once. Only writes fail like this, and errors of files have names.
    return error.filename is None and error.errno in {errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EIO}


def _no_output(error: OSError | None) -> int:
    from codex_host.process.ending import drop_output

    drop_output()
    return 1 if error is None else _fail(f"writing to standard output: {error.strerror}")


def _run(options: GlobalOptions) -> int:
    if options.version:
        return main(["--version"])
    if options.command is None and not options.help and (options.rest or options.interactive):
        from codex_host.usage import no_interface

        raise no_interface(" ".join(options.rest[1:]))
    if options.help or options.command in (None, "help"):
        from codex_host.help_command import show_help

        if show_help(options, options.rest if options.command == "help" else []):
            return 0
    elif options.rest[:1] == ["help"] or _wants_help(options):
        from codex_host.help_command import show_command_help

        if show_command_help(options):
            return 0
    if options.remote is not None or options.remote_token_variable is not None:
        from codex_host.remote import check_remote

        check_remote(options, allowed=options.command not in _HOST_COMMANDS)
    if options.interactive and options.command in _HOST_COMMANDS:
        _warn_of_no_effect(options)
    if options.command == "plugins":
        from codex_host.plugins.command import run_plugins

        return run_plugins(options)
    if options.command == "features":
        from codex_host.features_command import run_features

        return run_features(options)
    if options.command == "completion":
        from codex_host.completion import run_completion

        return run_completion(options)
    return _run_plugin_command(options)


def _wants_help(options: GlobalOptions) -> bool:
    if {"-h", "--help"}.isdisjoint(options.rest):
        return False
    from codex_host.command_help import wants_help

    return wants_help(options.rest, _trailing(options.command or ""))


def _run_plugin_command(options: GlobalOptions) -> int:
    from functools import partial

    from codex_host.fast_commands import depends_on_third_party, remember_fast_command
    from codex_host.process.descriptors import output_to_stderr
    from codex_host.process.event_loop import run

    host = _build(options)
    if options.strict_plugins:
        host.registry.load_for(None)
        broken = [message for status in host.registry.statuses.values() if (message := status.objection)]
        if broken:
            host.stats_file.save()
            return _fail("; ".join(broken))
    name = options.command or ""
    plugin = _plugin_of_command(host, name)
    with output_to_stderr():
        offered = host.hooks.cli_commands(plugin=plugin)
    if name not in offered:
        warnings = "; ".join(host.dispatch.warnings) or "it does not offer the command that its manifest lists"
        return _fail(f"the command {name!r} of plugin {plugin} can't be used: {warnings}")
    if not offered[name].own_parser:
        if _wants_help(options):
            from codex_hookspecs.terminal_text import escape_controls
            from codex_host.command_help import plain_help

            print(escape_controls(plain_help(offered[name])))
            return 0
        if options.rest or name not in host.registry.status(plugin).wordless:
            _check_words(plugin, options)
    if options.remote is not None:
        from codex_host.remote import check_remote, remote_address

        check_remote(options, allowed=offered[name].remote)
        host.remote = remote_address(options, host.environ)
    if offered[name].interactive_options:
        host.interactive_options = tuple(options.interactive)
    else:
        _warn_of_no_effect(options)
    if not depends_on_third_party(name, host.registry):
        remember_fast_command(offered[name], host.codex_home)
    return run(partial(_run_in_host, host, offered[name], options.rest, plugin=plugin))


def _check_words(plugin: str, options: GlobalOptions) -> None:
    """Check the arguments of a plugin's command, if its manifest declares them.

    :raises UsageError: when they don't fit.
    """
    from codex_hookspecs.errors import UsageError
    from codex_host.command_line import check_words
    from codex_host.known_commands import own_program, program_of

    name = options.command or ""
    found = next((each for each in _plugins() if each.name == plugin), None)
    command = None if found is None else program_of(found).root.command(name)
    if found is None or command is None or not command.declared:
        return
    try:
        check_words(program_of(found), [name, *options.rest])
    except UsageError:
        # Options of the program are not among the words any more, but one of them may have been meant.
        check_words(program_of(found, own_program().options), [name, *options.rest])
        raise


def _plugin_of_command(host: Application, name: str) -> str:
    """Return the plugin whose command is run.

    :raises CodexError: when no usable plugin offers it, or the choice between two is ambiguous.
    """
    from codex_hookspecs.errors import PluginError

    plugins = [status for status in host.registry.statuses.values() if name in status.commands]
    usable = host.registry.in_order("cli_commands", (each.name for each in plugins if each.state == "loaded"))
    if len(usable) > 1:
        from codex_host.plugins.order_checks import check_command

        for warning in check_command(host.registry, name, *usable):
            host.dispatch.warn(warning)
    if usable:
        return usable[0]
    if plugins:
        found = plugins[0]
        remedy = f" (run: {found.remedy})" if found.remedy else ""
        text = f"the command {name!r} comes from plugin {found.name}, which is {found.state}: {found.detail}{remedy}"
        raise PluginError(text, plugin=found.name)
    from codex_host.usage import not_a_command

    raise not_a_command(name, _commands())


def _build(options: GlobalOptions) -> Application:
    from codex_host.app import build
    from codex_host.process.watchdog import WATCHDOG

    if SIGNALS.installed:
        WATCHDOG.start()
    host = build(
        overrides=options.overrides,
        profile=options.profile,
        cwd=options.cwd,
        environ=dict(os.environ),
        no_plugins=options.no_plugins,
        strict_config=options.strict_config,
    )
    SIGNALS.check()  # a plugin may have swallowed an interrupt during its import
    return host


async def _run_in_host(host: Application, command: CliCommand, rest: Sequence[str], *, plugin: str) -> int:
    from codex_hookspecs.errors import CodexError, PluginError
    from codex_host.process.watchdog import WATCHDOG

    if "TRACEPARENT" in host.environ:
        from codex_hookspecs.tracing import parse_trace, set_trace

        set_trace(parse_trace(host.environ["TRACEPARENT"], host.environ.get("TRACESTATE")))
    async with host:
        WATCHDOG.warn = host.dispatch.warn
        try:
            return await command.run(rest, host)
        except (CodexError, BrokenPipeError):
            raise
        except Exception as error:
            message = host.dispatch.failures.report(f"the command {command.name}", plugin, error, command.run)
            raise PluginError(message, plugin=plugin) from error


def _commands() -> list[str]:
    """Return the names of the sub-commands of the host and of all plugins."""
    return [*_HOST_COMMANDS, *(name for manifest in _manifests() for name in manifest.commands)]


def _trailing(command: str) -> Trailing | None:
    """Return the trailing command line of a command, as declared in the manifest of its plugin."""
    from codex_hookspecs.errors import ConfigError
    from codex_host.options import Trailing

    try:
        offering = [] if command in _HOST_COMMANDS else [each for each in _manifests() if command in each.commands]
    except ConfigError:
        return None  # The error is reported later.
    if not offering or command not in offering[-1].trailing:
        return None
    return Trailing(offering[-1].trailing[command], offering[-1].valued.get(command, ()))


def _command_from_link(program: str) -> list[str]:
    """Return the command that is named by the program's own file name (a symbolic link), if any."""
    name = os.path.basename(program).removesuffix(".exe")
    if name in _PROGRAM_NAMES:
        return []
    from codex_hookspecs.errors import ConfigError

    try:
        return [name] if name in _commands() else []
    except ConfigError:
        return []


def _manifests() -> list[Manifest]:
    """Return the manifests of all plugins, first-party ones last."""
    plugins = sorted(_plugins(), key=lambda plugin: plugin.first_party)
    return [plugin.manifest for plugin in plugins if plugin.manifest is not None]


def _plugins() -> Sequence[FoundPlugin]:
    from codex_host.app import codex_home
    from codex_host.plugins.discovery import found_plugins

    return found_plugins(codex_home(os.environ))


def _warn_of_no_effect(options: GlobalOptions) -> None:
    for word in options.interactive:
        option = word.partition("=")[0]
        print(f"warning: {option} has no effect on codex {options.command}", file=sys.stderr)


def _report_usage_error(error: ConfigError) -> int:
    from codex_hookspecs.errors import UsageError
    from codex_hookspecs.terminal_text import escape_controls

    tip = f"\n\n  tip: {error.tip}" if isinstance(error, UsageError) and error.tip else ""
    usage = error.usage if isinstance(error, UsageError) and error.usage else USAGE
    print(
        f"error: {escape_controls(str(error))}{escape_controls(tip)}\n\n{usage}\n\nFor more information, try '--help'.",
        file=sys.stderr,
    )
    return 2


def _fail(message: str) -> int:
    from codex_hookspecs.terminal_text import escape_controls

    print(f"Error: {escape_controls(message)}", file=sys.stderr)
    return 1
