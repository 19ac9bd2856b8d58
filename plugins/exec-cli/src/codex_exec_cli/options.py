"""Parse the command line of ``codex exec``; options may be anywhere, also after a subcommand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

SANDBOX_MODES: Final = ("read-only", "workspace-write", "danger-full-access")
LOCAL_PROVIDERS: Final = ("lmstudio", "ollama")
COLORS: Final = ("always", "never", "auto")
COMMANDS: Final = ("resume", "fork", "review")
USAGES: Final = {
    "": "codex exec [OPTIONS] [PROMPT] [COMMAND]",
    "resume": "codex exec resume [OPTIONS] [SESSION] [PROMPT]",
    "fork": "codex exec fork [OPTIONS] SESSION [PROMPT]",
    "review": "codex exec review [OPTIONS] [PROMPT]",
}


class UsageError(Exception):
    """Raised when the command line is wrong.

    :param command: the subcommand whose usage is shown.
    """

    def __init__(self, message: str, *, command: str = "", tip: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.command = command
        self.tip = tip

    def __str__(self) -> str:
        tip = f"  tip: {self.tip}\n\n" if self.tip else ""
        return f"error: {self.message}\n\n{tip}Usage: {USAGES[self.command]}\n\nFor more information, try '--help'.\n"


class Options:
    """A parsed command line.

    A plain class, since an attrs class of this size takes a millisecond of every run.

    :ivar command: ``resume``, ``fork``, ``review`` or empty.
    :ivar prompt: as given; ``-`` for standard input.
    :ivar session: id or name of the thread to resume or fork.
    """

    command: str = ""
    prompt: str | None = None
    session: str | None = None
    version: bool = False
    model: str | None = None
    oss: bool = False
    local_provider: str | None = None
    sandbox: str | None = None
    full_auto: bool = False
    bypass_sandbox: bool = False
    bypass_hook_trust: bool = False
    ignore_rules: bool = False
    skip_git_check: bool = False
    ephemeral: bool = False
    output_schema: str | None = None
    color: str = "auto"
    json: bool = False
    hook_events: bool = False
    output_file: str | None = None
    last: bool = False
    all: bool = False
    uncommitted: bool = False
    base: str | None = None
    commit: str | None = None
    title: str | None = None

    def __init__(self) -> None:
        self.images: list[str] = []
        self.add_dirs: list[str] = []


class Option:
    """One option.

    :param target: field of :class:`Options`; empty for global options that the host has applied already.
    :param value: name of its value for messages; empty for a flag.
    :param choices: allowed values; empty for any.
    :param many: its values are collected: ``each`` takes one value at a time, ``all`` all values up to the next option.
    :param command: the only subcommand that has it; empty for all.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        target: str,
        value: str = "",
        *,
        choices: tuple[str, ...] = (),
        many: str = "",
        command: str = "",
    ) -> None:
        self.names = names
        self.target = target
        self.value = value
        self.choices = choices
        self.many = many
        self.command = command

    @property
    def label(self) -> str:
        """Name and value for messages."""
        name = next(name for name in self.names if name.startswith("--"))
        return f"{name} <{self.value}>{'...' if self.many == 'all' else ''}" if self.value else name


OPTIONS: Final = (
    Option(("-c", "--config"), "", "key=value"),
    Option(("--enable",), "", "FEATURE"),
    Option(("--disable",), "", "FEATURE"),
    Option(("-p", "--profile"), "", "CONFIG_PROFILE"),
    Option(("-C", "--cd"), "", "DIR"),
    Option(("-i", "--image"), "images", "FILE", many="all"),
    Option(("-m", "--model"), "model", "MODEL"),
    Option(("--oss",), "oss"),
    Option(("--local-provider",), "local_provider", "OSS_PROVIDER", choices=LOCAL_PROVIDERS),
    Option(("-s", "--sandbox"), "sandbox", "SANDBOX_MODE", choices=SANDBOX_MODES),
    Option(("--full-auto",), "full_auto"),
    Option(("--dangerously-bypass-approvals-and-sandbox", "--yolo"), "bypass_sandbox"),
    Option(("--dangerously-bypass-hook-trust",), "bypass_hook_trust"),
    Option(("--ignore-rules",), "ignore_rules"),
    Option(("--skip-git-repo-check",), "skip_git_check"),
    Option(("--add-dir",), "add_dirs", "DIR", many="each"),
    Option(("--ephemeral",), "ephemeral"),
    Option(("--output-schema",), "output_schema", "FILE"),
    Option(("--color",), "color", "COLOR", choices=COLORS),
    Option(("--json", "--experimental-json"), "json"),
    Option(("--hook-events",), "hook_events"),
    Option(("-o", "--output-last-message"), "output_file", "FILE"),
    Option(("--last",), "last", command="resume"),
    Option(("--all",), "all", command="resume"),
    Option(("--uncommitted",), "uncommitted", command="review"),
    Option(("--base",), "base", "BRANCH", command="review"),
    Option(("--commit",), "commit", "SHA", command="review"),
    Option(("--title",), "title", "TITLE", command="review"),
    Option(("-V", "--version"), "version"),
)
_BY_NAME: Final = {name: option for option in OPTIONS for name in option.names}
_ACCESS: Final = ("sandbox", "full_auto", "bypass_sandbox")
_IGNORED: Final = ("--search", "--no-alt-screen")
"""Options of the interactive program without effect on ``codex exec``."""

_EXCLUSIVE: Final = (
    ("bypass_sandbox", "full_auto"),
    ("uncommitted", "base"),
    ("uncommitted", "commit"),
    ("base", "commit"),
)


def parse(arguments: Sequence[str], global_options: Sequence[str] = ()) -> Options:
    """Parse a command line.

    :param global_options: options before ``exec``; those after it take precedence.
    :raises UsageError: when the command line is wrong.
    """
    if not all(map(_is_text, arguments)):
        raise UsageError("invalid UTF-8 was detected in one or more arguments")
    options = _Reader(arguments).read()
    if global_options:
        _apply_defaults(options, _Reader([word for word in global_options if word not in _IGNORED]).read())
    return options


def _apply_defaults(options: Options, global_options: Options) -> None:
    decided = any(getattr(options, name) for name in _ACCESS)
    for name, value in vars(global_options).items():
        if isinstance(value, list):
            getattr(options, name)[:0] = value
        elif name not in vars(options) and not (decided and name in _ACCESS):
            setattr(options, name, value)


def _is_text(word: str) -> bool:
    """Return whether a word is valid Unicode (undecodable bytes are surrogates)."""
    return word.isascii() or not any("\ud800" <= character <= "\udfff" for character in word)


class _Reader:
    def __init__(self, arguments: Sequence[str]) -> None:
        self._words = list(arguments)
        self._options = Options()
        self._positionals: list[str] = []
        self._seen: dict[tuple[str, Option], None] = {}

    def read(self) -> Options:
        words = self._words
        while words:
            word = words.pop(0)
            if word == "--":
                for rest in words:
                    self._positional(rest)
                break
            if word.startswith("-") and word != "-":
                self._option(word)
            elif not self._options.command and word in COMMANDS:
                self._enter_command(word)
            else:
                self._positional(word)
        self._finish()
        return self._options

    def _enter_command(self, word: str) -> None:
        self._options.command = word
        self._options.prompt = self._positionals.pop() if self._positionals else None

    def _positional(self, word: str) -> None:
        if len(self._positionals) == (2 if self._options.command in ("resume", "fork") else 1):
            from codex_exec_cli.tips import quoted_prompt

            tip = quoted_prompt(self._options.command, [*self._positionals, word, *self._words])
            raise self._error(f"unexpected argument '{word}' found", tip=tip)
        self._positionals.append(word)

    def _option(self, word: str) -> None:
        name, value = _split(word)
        option = _BY_NAME.get(name)
        if option is None or option.command not in ("", self._options.command):
            from codex_exec_cli.tips import unknown_option

            tip = unknown_option(
                name, value, self._words, self._options.command, {each: _BY_NAME[each].command for each in _BY_NAME}
            )
            raise self._error(f"unexpected argument '{name}' found", tip=tip)
        if not option.value:
            if value is not None:
                raise self._error(f"unexpected value '{value}' for '{name}' found; no more were expected")
            self._set(option, True)
            return
        attached = value is not None
        if value is None:
            if not self._words or self._is_option(self._words[0]):
                raise self._error(f"a value is required for '{option.label}' but none was supplied")
            value = self._words.pop(0)
        self._set(option, value)
        if option.many == "all" and not self._options.command and not attached:
            while self._words and not self._is_option(self._words[0]):
                self._set(option, self._words.pop(0))

    def _is_option(self, word: str) -> bool:
        return word.startswith("-") and word != "-"

    def _set(self, option: Option, value: Any) -> None:
        if option.choices and value not in option.choices:
            allowed = ", ".join(option.choices)
            raise self._error(f"invalid value '{value}' for '{option.label}'\n  [possible values: {allowed}]")
        if option.many:
            getattr(self._options, option.target).extend(value.split(",") if option.many == "all" else [value])
        elif option.target:
            if (self._options.command, option) in self._seen:
                raise self._error(f"the argument '{option.label}' cannot be used multiple times")
            self._seen[self._options.command, option] = None
            setattr(self._options, option.target, value)

    def _finish(self) -> None:
        """Check for exclusive options, and assign positional arguments to session and prompt."""
        options = self._options
        for exclusive in _EXCLUSIVE:
            labels = [option.label for _, option in self._seen if option.target in exclusive]
            if len(labels) > 1:
                raise self._error(f"the argument '{labels[0]}' cannot be used with '{labels[1]}'")
        words = self._positionals
        if options.command in ("resume", "fork") and words and not (options.last and len(words) == 1):
            options.session = words.pop(0)
        if words:
            options.prompt = words.pop()
        if options.command == "fork" and options.session is None:
            raise self._error("the following required arguments were not provided:\n  <SESSION>")

    def _error(self, message: str, *, tip: str | None = None) -> UsageError:
        return UsageError(message, command=self._options.command, tip=tip)


def _split(word: str) -> tuple[str, str | None]:
    """Split ``--name=value``, ``-nvalue`` and ``-n=value`` into name and value."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return name, value if equals else None
    if len(word) > 2:
        return word[:2], word[2:].removeprefix("=")
    return word, None
