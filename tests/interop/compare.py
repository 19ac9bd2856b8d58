"""The same conversation with two programs, and their outputs without what differs from run to run."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from attrs import frozen

from interop.clients import OURS, REAL_118, Codex, Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from codex_testkit.servers.responses import RecordedRequest, ResponsesServer

_RETRIES: Final = "request_max_retries = 0\nstream_max_retries = 0\n"
_NOISE: Final = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r"Chunk ID: [0-9a-f]+"), "Chunk ID: X"),
    (re.compile(r"Wall time: [0-9.]+ seconds"), "Wall time: N seconds"),
    (re.compile(r"session ID \d+"), "session ID N"),
    (re.compile(r'session_id(\\*)": \d+'), r'session_id\1": N'),
    (re.compile(r" in \d+(\.\d+)?m?s:?"), " in Nms:"),
    (re.compile(r"http://127\.0\.0\.1:\d+"), "http://HOST"),
    (re.compile(r"^(OpenAI Codex|codex-host) v.*$", re.MULTILINE), "NAME vN"),
    (re.compile(r"^\d{4}-\d\d-\d\dT\S+Z +(ERROR|WARN) .*\n", re.MULTILINE), ""),
    (re.compile(r"^(ERROR: .*\n)\1", re.MULTILINE), r"\1"),  # the real one tells the error of a failed turn twice
]


@frozen
class Side:
    """What one program did: its runs and what it asked the model."""

    stage: Stage
    outcomes: list[Outcome]
    turns: list[RecordedRequest]

    @property
    def last(self) -> Outcome:
        return self.outcomes[-1]

    def text(self, text: str) -> str:
        """Leave out what no two runs share."""
        text = text.replace(str(self.stage.ws), "$WS").replace(str(self.stage.home), "$HOME")
        for pattern, word in _NOISE:
            text = pattern.sub(word, text)
        return text

    def events(self) -> list[Any]:
        """The JSONL of the last run: order of beginnings, then each item's own events, then the rest.

        The end of a command is told by a watcher of its own, so its place among other items is not fixed.
        """
        found = [json.loads(self.text(line)) for line in self.last.stdout.splitlines()]
        begun: list[str] = []
        items: dict[str, list[Any]] = {}
        rest = []
        for event in found:
            if "item" not in event:
                rest.append(event)
                continue
            ident = event["item"]["id"]
            if ident not in items:
                begun.append(event["item"]["type"])
            items.setdefault(ident, []).append(event)
        return [begun, list(items.values()), rest]

    def input(self, turn: int = -1) -> list[Any]:
        """The model's input without the context messages in front, ids and empty members."""
        items = json.loads(self.text(json.dumps(self.turns[turn].body["input"], ensure_ascii=False)))
        while items and items[0].get("role") == "developer":
            items.pop(0)
        kept = [item for item in items if "<environment_context>" not in json.dumps(item)]
        return [_bare(item) for item in kept]


def _bare(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if value is not None and key not in {"id", "status"}}


@frozen
class Both:
    """Run the same with the real 0.118.0 and with ours."""

    folder: Path
    server: ResponsesServer

    def __call__(
        self,
        rounds: list[list[dict[str, Any]]] | None,
        *runs: Iterable[str],
        stdin: bytes | None = None,
        config: str = "",
        provider: str = _RETRIES,
        files: dict[str, str] | None = None,
        access: bool = True,
    ) -> tuple[Side, Side]:
        """Run ``exec`` with each list of arguments; ``$THREAD`` in one is the thread of the first run.

        :return: the real side and ours.
        """
        sides = []
        for codex in (REAL_118, OURS):
            stage = Stage(self.folder / codex.name, self.server.url)
            stage.set_up(codex, config, provider=provider)
            for name, content in (files or {}).items():
                (stage.ws / name).write_text(content, "utf-8")
            self.server.play(rounds)
            outcomes = self._runs(codex, stage, runs, stdin, access=access)
            sides.append(Side(stage, outcomes, list(self.server.turns)))
        return sides[0], sides[1]

    def _runs(
        self, codex: Codex, stage: Stage, runs: Iterable[Iterable[str]], stdin: bytes | None, *, access: bool
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        thread = ""
        for args in runs:
            named = [arg.replace("$THREAD", thread).replace("$WS", str(stage.ws)) for arg in args]
            full = ("--dangerously-bypass-approvals-and-sandbox",) if access else ()
            outcomes.append(stage.run(codex, "exec", *full, *named, stdin=stdin))
            files = sorted(stage.home.glob("sessions/*/*/*/*.jsonl"))
            thread = thread or (files[0].stem[-36:] if files else "")
        return outcomes
