"""Conversations with hook scripts: how the cases say them and what they can ask afterwards."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import define, field, frozen

from codex_testkit.memory._model_input import texts, tool_output
from interop.app_server import AppServer
from interop.clients import Outcome

if TYPE_CHECKING:
    from codex_testkit.servers.responses import RecordedRequest, ResponsesServer
    from interop.clients import Codex, Stage

BYPASS: Final = "--dangerously-bypass-hook-trust"
SAY: Final = [[{"say": "final words"}]]
SHELL: Final = [[{"sh": "echo ran >> ran.txt; echo out"}], [{"say": "final words"}]]
# `hook: Stop Blocked` is how the real one tells it, `Stop hook (blocked)` how ours does
_STATUS: Final = re.compile(r"^(?:hook: (\w+) (Completed|Failed|Blocked|Stopped)|(\w+) hook \((\w+)\))$", re.MULTILINE)


def script(out: object = "", *, err: str = "", code: int = 0, do: str = "", **keys: object) -> dict[str, object]:
    """Write a handler that keeps its stdin and answers.

    :param out: printed on stdout; as JSON when it is not text.
    :param err: printed on stderr.
    :param code: exit status.
    :param do: shell commands to run in between.
    :param keys: further keys of the handler.
    """
    text = out if isinstance(out, str) else json.dumps(out)
    lines = ['cat > "$CODEX_HOME/stdin.$$"', do] if do else ['cat > "$CODEX_HOME/stdin.$$"']
    if text:
        lines.append(f"printf %s {shlex.quote(text)}")
    if err:
        lines.append(f"printf %s {shlex.quote(err)} >&2")
    return {"type": "command", "command": "; ".join([*lines, f"exit {code}"]), **keys}


def group(matcher: str | None, *handlers: dict[str, object], **keys: object) -> dict[str, object]:
    """Write a group of handlers."""
    return {**({} if matcher is None else {"matcher": matcher}), "hooks": list(handlers), **keys}


def special(event: str, **keys: object) -> dict[str, object]:
    """Write an answer with ``hookSpecificOutput``."""
    return {"hookSpecificOutput": {"hookEventName": event, **keys}}


def document(**events: object) -> dict[str, object]:
    """Write the content of a ``hooks.json``: events with a handler, a group, or a list of them."""
    made: dict[str, object] = {}
    for event, found in events.items():
        entries = found if isinstance(found, list) else [found]
        made[event] = [entry if "hooks" in entry else {"hooks": [entry]} for entry in entries]
    return {"hooks": made}


@frozen
class Seen:
    """What a conversation left to look at."""

    stage: Stage
    outcome: Outcome
    turns: list[RecordedRequest]

    @property
    def final(self) -> str:
        return self.outcome.stdout.strip()

    def input(self, turn: int = -1) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.turns[turn].body["input"]
        return found

    def developer(self, turn: int = -1) -> list[str]:
        return texts(self.input(turn), "developer")

    def user(self, turn: int = -1) -> list[str]:
        return texts(self.input(turn), "user")

    def output(self, call: str = "call_0_0", turn: int = -1) -> str:
        return tool_output(self.input(turn), call)

    def place(self, text: str, turn: int = -1) -> int:
        """Tell which input item holds a text."""
        return next(number for number, item in enumerate(self.input(turn)) if text in json.dumps(item))

    def payloads(self, event: str) -> list[dict[str, Any]]:
        """List what the scripts of an event got on stdin, in order of time."""
        files = sorted(self.stage.home.glob("stdin.*"), key=lambda path: path.stat().st_mtime_ns)
        found = [json.loads(path.read_text("utf-8")) for path in files]
        return [payload for payload in found if payload["hook_event_name"] == event]

    def statuses(self, event: str) -> list[str]:
        """List how the runs of an event ended, as the human output tells it."""
        found = [(one or two, (how or other).lower()) for one, how, two, other in _STATUS.findall(self.outcome.stderr)]
        return [how for name, how in found if name == event]

    @property
    def ran(self) -> bool:
        """Tell whether the shell command of :data:`SHELL` ran."""
        return (self.stage.ws / "ran.txt").exists()

    def rollout(self) -> list[dict[str, Any]]:
        [path] = self.stage.home.glob("sessions/*/*/*/*.jsonl")
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@define
class Play:
    """Plays conversations of one client; call it for one run of ``codex exec`` or open :meth:`server`."""

    codex: Codex
    stage: Stage
    model: ResponsesServer
    _ready: bool = field(default=False, init=False)

    def prepare(self, hooks: object, *, config: str = "", project: object = None) -> None:
        """Write configuration and hook files.

        :param hooks: content of the user's ``hooks.json``: text, a document, or ``None``.
        :param project: content of the project's.
        """
        self.stage.set_up(self.codex, config)
        self.write(self.stage.home / "hooks.json", hooks)
        self.write(self.stage.ws / ".codex" / "hooks.json", project)
        self._ready = True

    @staticmethod
    def write(path: Path, content: object) -> None:
        if content is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")

    def __call__(
        self,
        rounds: list[list[dict[str, Any]]] | None = None,
        *args: str,
        raw: object = None,
        config: str = "",
        project: object = None,
        prompt: str = "the prompt",
        trust: bool = True,
        **hooks: object,
    ) -> Seen:
        """Run ``codex exec`` with full access.

        :param rounds: what the model does.
        :param args: arguments before the prompt.
        :param raw: the user's ``hooks.json``; without it the keyword arguments are its events.
        :param trust: bypass the review of hooks.
        """
        if not self._ready:
            self.prepare(document(**hooks) if raw is None and hooks else raw, config=config, project=project)
        self.model.play(rounds or SAY)
        options = ("--dangerously-bypass-approvals-and-sandbox", *((BYPASS,) if trust else ()), *args)
        return self.seen(self.stage.run(self.codex, "exec", *options, prompt))

    def seen(self, outcome: Outcome | None = None) -> Seen:
        """Give what can be looked at now."""
        return Seen(self.stage, outcome or Outcome(status=0, stdout="", stderr=""), list(self.model.turns))

    def server(self, rounds: list[list[dict[str, Any]]] | None = None) -> AppServer:
        """Open ``codex app-server`` on the prepared stage."""
        self.model.play(rounds or SAY)
        return AppServer(self.codex, self.stage)
