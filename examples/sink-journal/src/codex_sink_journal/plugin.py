"""A sink that appends facts to ``journal.jsonl`` in ``$CODEX_HOME``, one JSON object a line."""

import json
from io import TextIOWrapper
from pathlib import Path

from codex_hookspecs.analytics import AnalyticsSink, hookimpl
from codex_hookspecs.host import Host
from codex_hookspecs.protocol import JsonObject


class Journal:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: TextIOWrapper | None = None

    def record(self, fact: str, fields: JsonObject) -> None:
        if self._file is None:
            self._file = self._path.open("a", encoding="utf-8")
        self._file.write(json.dumps({"fact": fact, **fields}) + "\n")

    async def aclose(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


@hookimpl
def analytics_sink(host: Host) -> AnalyticsSink:
    return Journal(Path(host.codex_home) / "journal.jsonl")
