"""Texts of ``codex exec --help``."""

from __future__ import annotations

from typing import Final

from codex_exec_cli.options import OPTIONS, USAGES, Option

_ABOUT: Final = {
    "": "Run one turn of the agent without a terminal interface",
    "resume": "Go on with an earlier session: by id, by name, or the newest one with --last",
    "review": "Have the changes in the repository reviewed",
}
_COMMANDS: Final = {
    "resume": "Go on with an earlier session",
    "review": "Have the changes in the repository reviewed",
    "help": "Show this text, or that of a command",
}
_ARGUMENTS: Final = {
    "": {
        "[PROMPT]": "What the agent is to do. Without it, or with `-`, it is read from standard input. Input that is "
        "piped in beside a prompt goes behind it, in a `<stdin>` block."
    },
    "resume": {
        "[SESSION_ID]": "Id or name of the session",
        "[PROMPT]": "What the agent is to do next; `-` reads it from standard input",
    },
    "review": {"[PROMPT]": "What to look for; `-` reads it from standard input"},
}
_OPTIONS: Final = {
    "--config": "Set a configuration key, dotted, to a TOML value or, if it is none, to the text itself; repeatable",
    "--enable": "Turn a feature on; repeatable",
    "--disable": "Turn a feature off; repeatable",
    "--profile": "Use a profile of config.toml",
    "--cd": "Work in this directory",
    "--image": "Attach images to the prompt",
    "--model": "Model that is to answer",
    "--oss": "Use a local provider of open models",
    "--local-provider": "Local provider for --oss: lmstudio or ollama",
    "--sandbox": "What commands of the model may touch",
    "--full-auto": "Short for --sandbox workspace-write",
    "--dangerously-bypass-approvals-and-sandbox": "Run commands without a sandbox and without asking; only for "
    "machines that are walled off by other means",
    "--dangerously-bypass-hook-trust": "Run hooks that nobody has reviewed yet",
    "--skip-git-repo-check": "Work outside of git repositories too",
    "--add-dir": "Directory that commands may write beside the working directory; repeatable",
    "--ephemeral": "Keep nothing of the session",
    "--output-schema": "File with the JSON schema that the final message must follow",
    "--color": "When to colour the output [default: auto]",
    "--json": "Print events to standard output, one JSON object per line",
    "--hook-events": "With --json, print what hooks do as well",
    "--output-last-message": "File for the final message",
    "--last": "Take the newest session of this directory",
    "--all": "Look for sessions of all directories",
    "--uncommitted": "Review what is not committed: staged, unstaged and new files",
    "--base": "Review the changes against a branch",
    "--commit": "Review the changes of a commit",
    "--title": "Title of the commit, for the reviewer",
    "--help": "Show this text",
    "--version": "Show the version",
}
_WIDTH: Final = 100
_INDENT: Final = " " * 10


def help_text(command: str) -> str:
    """Return the help of ``codex exec`` or one of its commands."""
    lines = [_ABOUT[command], "", f"Usage: {USAGES[command]}"]
    if not command:
        lines += ["", "Commands:", *(f"  {name:<7} {text}" for name, text in _COMMANDS.items())]
    lines += ["", "Arguments:"]
    for name, text in _ARGUMENTS[command].items():
        lines += [f"  {name}", *_wrapped(text)]
    lines += ["", "Options:"]
    for option in OPTIONS:
        if option.command in ("", command):
            lines += [_heading(option), *_wrapped(_described(option))]
    return "\n".join(lines) + "\n"


def _heading(option: Option) -> str:
    names = option.names if option.names[0].startswith("--") else (", ".join(option.names),)
    indent = "      " if names[0].startswith("--") else "  "
    value = f" <{option.value}>{'...' if option.many == 'all' else ''}" if option.value else ""
    return f"{indent}{names[0]}{value}"


def _described(option: Option) -> str:
    text = next(_OPTIONS[name] for name in option.names if name in _OPTIONS)
    others = [name for name in option.names[1:] if name.startswith("--") and option.names[0].startswith("--")]
    text += f" [also: {', '.join(others)}]" if others else ""
    return text + (f" [possible values: {', '.join(option.choices)}]" if option.choices else "")


def _wrapped(text: str) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if line and len(_INDENT) + len(line) + 1 + len(word) > _WIDTH:
            lines.append(_INDENT + line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, _INDENT + line]
