"""Build the request for the app-server from the command line; check what can be checked before the turn starts."""

from __future__ import annotations

import json
import os
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from attrs import field

from codex_exec_cli.errors import ExecError, os_text
from codex_exec_cli.prompt import PromptError, read_optional_stdin, read_stdin, resolve_prompt, run_in_thread
from codex_hookspecs import frozen
from codex_hookspecs.environments import project_root
from codex_hookspecs.errors import CodexError
from codex_hookspecs.surface import escape_controls_in_line

if TYPE_CHECKING:
    from codex_exec_cli.options import Options
    from codex_exec_cli.streams import Stream
    from codex_hookspecs.protocol import JsonObject
    from codex_hookspecs.surface import SurfaceHost

_MAX_SCHEMA_BYTES: Final = 4 * 1024 * 1024
OSS_MODELS: Final = {"ollama": "gpt-oss:20b", "lmstudio": "openai/gpt-oss-20b"}
"""Local providers and their default models."""


@frozen(kw_only=True)
class ExecRequest:
    """A parsed and checked request to run one turn.

    :param prompt: text of the turn, for display.
    :param input: user inputs in wire format.
    :param settings: members of ``thread/start`` that are also members of ``thread/resume``.
    :param resume: id or name of the thread to resume; empty for the newest one; ``None`` for a new thread.
    :param fork: id or name of the thread to fork, or ``None``.
    :param turn: whether a turn is run; a thread can be forked without one.
    :param everywhere: include threads of other directories when searching the thread to resume.
    :param review: target of a review in wire format, or ``None`` for an ordinary turn.
    :param adds_directories: whether directories that commands may write to were given.
    :param remote: address of the app-server elsewhere that is used, or ``None``.
    :param in_repository: whether the thread's directory, on the machine of the server, must be in a repository.
    """

    prompt: str
    input: list[JsonObject]
    settings: dict[str, Any]
    ephemeral: bool = False
    output_schema: Any = None
    resume: str | None = None
    fork: str | None = None
    turn: bool = True
    everywhere: bool = False
    review: JsonObject | None = field(default=None)
    adds_directories: bool = False
    remote: str | None = None
    in_repository: bool = False


async def make_request(options: Options, host: SurfaceHost, stdin: int, err: Stream) -> ExecRequest:
    """Read standard input and files, and build the request.

    :param stdin: descriptor of standard input.
    :raises ExecError: when something is missing or wrong.
    """
    review = _review_target(options)
    if options.command == "resume" and options.session is None and not options.last:
        raise ExecError("error: which session? Give its id or name, or --last for the newest one", status=2)
    settings = _settings(options, host)
    _warn_of_no_effect(options, host, err)
    prompt = await _prompt(options, review, stdin, err)
    images = [_image(path, remote=host.remote is not None) for path in options.images]
    return ExecRequest(
        prompt=prompt,
        input=[*images, {"type": "text", "text": prompt, "text_elements": []}],
        settings=settings,
        ephemeral=options.ephemeral,
        output_schema=_schema(options.output_schema) if options.output_schema is not None else None,
        resume=(options.session or "") if options.command == "resume" else None,
        fork=options.session if options.command == "fork" else None,
        turn=options.command != "fork" or options.prompt is not None,
        everywhere=options.all or options.command == "fork",
        review=review if review is None or review["type"] != "custom" else review | {"instructions": prompt},
        adds_directories=bool(options.add_dirs),
        remote=None if host.remote is None else host.remote.url,
        in_repository=host.remote is not None and not (options.skip_git_check or options.bypass_sandbox),
    )


async def check_directory(options: Options, host: SurfaceHost) -> None:
    """Check that the working directory is in a repository, so that changes can be reverted, unless that is skipped.

    A directory of an app-server elsewhere is checked when the thread is open.

    :raises ExecError: when it is not, naming the option that skips the check.
    """
    if options.skip_git_check or options.bypass_sandbox or host.remote is not None:
        return
    name = host.config.get("environment")
    if host.environments.is_remote(name):
        from codex_hookspecs.environments import repository_root

        try:
            root = await repository_root(host.cwd, (await host.environments.get(name)).files)
        except CodexError:
            return  # The environment can't be reached, which the turn will report.
    else:
        root = project_root(host.cwd)
    if root is None:
        raise ExecError("Not inside a trusted directory and --skip-git-repo-check was not specified.")


def _settings(options: Options, host: SurfaceHost) -> dict[str, Any]:
    sandbox = options.sandbox
    if options.bypass_sandbox:
        sandbox = "danger-full-access"
    elif options.full_auto:
        sandbox = "workspace-write"
    provider = _local_provider(options, host) if options.oss else None
    settings = {
        "cwd": host.cwd if host.remote is None else host.remote.cwd,
        "model": options.model or (OSS_MODELS.get(provider) if provider else None),
        "model_provider": provider,
        "approval_policy": "never",
        "sandbox": sandbox,
        "config": _overrides(options, host) or None,
    }
    return {name: value for name, value in settings.items() if value is not None}


def _warn_of_no_effect(options: Options, host: SurfaceHost, err: Stream) -> None:
    """Name options that change nothing: a provider that is not asked for, directories that are not there."""
    if options.local_provider is not None and not options.oss:
        err.line("warning: --local-provider has no effect without --oss")
    for directory in options.add_dirs if host.remote is None else ():
        path = os.path.join(host.cwd, directory)
        if not os.path.isdir(path) and not host.environments.is_remote(host.config.get("environment")):
            err.line(escape_controls_in_line(f"warning: --add-dir {directory}: there is no such directory"))


def _local_provider(options: Options, host: SurfaceHost) -> str:
    provider = options.local_provider or host.config.get("oss_provider")
    if not provider:
        known = ", ".join(sorted(OSS_MODELS))
        raise ExecError(
            "Error: No default OSS provider configured. Use --local-provider=provider or set oss_provider "
            f"to one of: {known} in config.toml"
        )
    return str(provider)


def _overrides(options: Options, host: SurfaceHost) -> dict[str, Any]:
    overrides: dict[str, Any] = {}
    if host.remote is not None:
        from codex_exec_cli.remote import session_flags

        overrides = session_flags(host.config)
    if options.add_dirs:
        roots = list(host.config.get("sandbox_workspace_write.writable_roots") or []) if host.remote is None else []
        added = [_added_directory(directory, host) for directory in options.add_dirs]
        overrides["sandbox_workspace_write.writable_roots"] = roots + [root for root in added if root not in roots]
    if options.bypass_hook_trust:
        overrides["bypass_hook_trust"] = True
    if options.ignore_rules:
        overrides["ignore_rules"] = True
    return overrides


def _added_directory(given: str, host: SurfaceHost) -> str:
    """Return the absolute path of a directory of ``--add-dir``, on the machine of the server.

    :raises ExecError: when it is relative, and the server's working directory is not known here.
    """
    base = host.cwd if host.remote is None else host.remote.cwd
    if base is None and not os.path.isabs(given):
        raise ExecError(
            f"Error: --add-dir {given}: with --remote the directory is one of the server's; "
            "give it as an absolute path, or give -C"
        )
    return os.path.abspath(os.path.join(base or "", given))


async def _prompt(options: Options, review: JsonObject | None, stdin: int, err: Stream) -> str:
    if review is not None and review["type"] != "custom":
        return review_title(review)
    if options.command == "fork" and options.prompt is None:
        return ""
    resolve = partial(
        resolve_prompt,
        options.prompt,
        terminal=os.isatty(stdin),
        read=partial(read_stdin, stdin),
        read_more=partial(read_optional_stdin, stdin),
        tell=err.line,
        append=options.command == "",
    )
    try:
        return await run_in_thread(resolve)
    except PromptError as error:
        raise ExecError(str(error)) from error


def _image(path: str, *, remote: bool) -> JsonObject:
    full = os.path.abspath(path)
    if remote:
        from codex_exec_cli.remote import image_content

        return image_content(path)
    try:
        os.stat(full)
    except OSError as error:
        raise ExecError(f"Failed to read image {path}: {os_text(error)}") from error
    return {"type": "localImage", "path": full}


def _open_nonblocking(path: str) -> int:
    """Open a file without waiting for a writer if it is a named pipe."""
    descriptor = os.open(
        path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    )
    if hasattr(os, "O_NONBLOCK"):
        os.set_blocking(descriptor, True)
    return descriptor


def _schema(path: str) -> Any:
    try:
        with open(_open_nonblocking(path), "rb") as file:
            text = file.read(_MAX_SCHEMA_BYTES + 1)
    except OSError as error:
        raise ExecError(f"Failed to read output schema file {path}: {os_text(error)}") from error
    if len(text) > _MAX_SCHEMA_BYTES:
        raise ExecError(f"Output schema file {path} is longer than {_MAX_SCHEMA_BYTES >> 20} MiB")
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"{error.msg} at line {error.lineno} column {error.colno}"
        raise ExecError(f"Output schema file {path} is not valid JSON: {where}") from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise ExecError(f"Output schema file {path} is not valid JSON: {error}") from error


def _review_target(options: Options) -> JsonObject | None:
    if options.command != "review":
        return None
    if options.uncommitted:
        return {"type": "uncommittedChanges"}
    if options.base is not None:
        return {"type": "baseBranch", "branch": options.base}
    if options.commit is not None:
        return {"type": "commit", "sha": options.commit, "title": options.title}
    if options.prompt is None:
        raise ExecError("Error: Specify --uncommitted, --base, --commit, or provide custom review instructions")
    return {"type": "custom", "instructions": options.prompt}


def review_title(target: JsonObject) -> str:
    """Return a short description of a review target."""
    if target["type"] == "baseBranch":
        return f"changes against '{target['branch']}'"
    if target["type"] == "commit":
        return f"commit {target['sha'][:7]}" + (f": {target['title']}" if target["title"] else "")
    return "current changes"
