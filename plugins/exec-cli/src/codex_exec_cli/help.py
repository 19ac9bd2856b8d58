"""Texts of ``codex exec --help``."""

from __future__ import annotations

from typing import Final

from codex_exec_cli.options import OPTIONS, USAGES, Option

_ABOUT: Final = {
    "": "Run one turn of the agent without a terminal interface",
    "resume": "Resume a session by id, by name, or the newest one with --last",
    "review": "Review the changes in the repository",
}
_COMMANDS: Final = {
    "resume": "Resume an earlier session",
    "review": "Review the changes in the repository",
    "help": "Show this help, or that of a command",
}
_ARGUMENTS: Final = {
    "": {
        "[PROMPT]": "Task for the agent. Without it, or with `-`, it is read from standard input. Input that is piped "
        "in, in addition to a prompt, is appended to it in a `<stdin>` block."
    },
    "resume": {
        "[SESSION_ID]": "Id or name of the session",
        "[PROMPT]": "Next task for the agent; `-` reads it from standard input",
    },
    "review": {"[PROMPT]": "What to look for; `-` reads it from standard input"},
}
_OPTIONS: Final = {
    "--config": "Set a dotted configuration key to a TOML value (anything else is taken as a string); repeatable",
    "--enable": "Enable a feature; repeatable",
    "--disable": "Disable a feature; repeatable",
    "--profile": "Use a profile of config.toml",
    "--cd": "Work in this directory",
    "--image": "Attach images to the prompt",
    "--model": "Model to use",
    "--oss": "Use a local provider of open models",
    "--local-provider": "Local provider for --oss: lmstudio or ollama",
    "--sandbox": "Sandbox policy for commands of the model",
    "--full-auto": "Short for --sandbox workspace-write",
    "--dangerously-bypass-approvals-and-sandbox": "Run commands without a sandbox and without asking; only for "
    "machines that are isolated by other means",
    "--dangerously-bypass-hook-trust": "Run hooks that have not been reviewed",
    "--skip-git-repo-check": "Also work outside of git repositories",
    "--add-dir": "Additional directory that commands may write; repeatable",
    "--ephemeral": "Do not save the session",
    "--output-schema": "File with the JSON schema that the final message must follow",
    "--color": "When to colour the output [default: auto]",
    "--json": "Print events to standard output, one JSON object per line",
    "--hook-events": "With --json, also print events of hooks",
    "--output-last-message": "File for the final message",
    "--last": "Use the newest session of this directory",
    "--all": "Include sessions of all directories",
    "--uncommitted": "Review uncommitted changes: staged, unstaged and new files",
    "--base": "Review the changes against a branch",
    "--commit": "Review the changes of a commit",
    "--title": "Title of the commit, for the reviewer",
    "--help": "Show this help",
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
        lines += [f"  {name}", *_wrap(text)]
    lines += ["", "Options:"]
    for option in OPTIONS:
        if option.command in ("", command):
            lines += [_heading(option), *_wrap(_describe(option))]
    return "\n".join(lines) + "\n"


def _heading(option: Option) -> str:
    names = option.names if option.names[0].startswith("--") else (", ".join(option.names),)
    indent = "      " if names[0].startswith("--") else "  "
    value = f" <{option.value}>{'...' if option.many == 'all' else ''}" if option.value else ""
    return f"{indent}{names[0]}{value}"


def _describe(option: Option) -> str:
    text = next(_OPTIONS[name] for name in option.names if name in _OPTIONS)
    others = [name for name in option.names[1:] if name.startswith("--") and option.names[0].startswith("--")]
    text += f" [also: {', '.join(others)}]" if others else ""
    return text + (f" [possible values: {', '.join(option.choices)}]" if option.choices else "")


def _wrap(text: str) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if line and len(_INDENT) + len(line) + 1 + len(word) > _WIDTH:
            lines.append(_INDENT + line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, _INDENT + line]
