"""Runs of the command against a scripted app-server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from codex_exec_cli.command import run
from codex_hookspecs import hookimpl
from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import (
    AgentMessage,
    ItemCompleted,
    Notification,
    Thread,
    ThreadListResponse,
    ThreadStartResponse,
    ThreadTokenUsage,
    TokenUsage,
    TokenUsageUpdated,
    Turn,
    TurnCompleted,
    TurnError,
    TurnStartResponse,
)

pytestmark = pytest.mark.anyio

ID = "01a20248-1563-78c1-9ed2-8f218306b201"
FULL = "--dangerously-bypass-approvals-and-sandbox"


def thread(thread_id: str = ID, name: str | None = None) -> Thread:
    return Thread(
        id=thread_id, session_id=thread_id, model_provider="mock", created_at=1, updated_at=1,
        status={"type": "idle"}, cwd="/w", cli_version="1", source="exec", name=name,
    )  # fmt: skip


class Server:
    """A scripted app-server: records requests and sends the notifications of one turn."""

    def __init__(self, *, answer: str | None = "hello", error: str | None = None) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.client: dict[str, Any] = {}
        self.stored: list[Thread] = []
        self.answer = answer
        self.error = error
        self.hangs = False
        self.left = False
        self.waiting = asyncio.Event()
        self._interrupted = asyncio.Event()

    @hookimpl
    def app_server(self) -> Server:
        return self

    async def connect(self, **client: Any) -> Server:
        self.client = client
        return self

    async def aclose(self) -> None:
        self.left = True

    async def request(self, method: str, params: Any = None) -> Any:
        self.asked.append((method, params))
        if method == "thread/list":
            return ThreadListResponse(data=tuple(self.stored))
        if method in ("thread/resume", "thread/read") and params.thread_id not in [each.id for each in self.stored]:
            raise RpcError(f"no rollout found for thread id {params.thread_id}")
        if method == "turn/interrupt":
            self._interrupted.set()
        if method in ("thread/start", "thread/resume"):
            return ThreadStartResponse(
                thread=thread(), model="m", model_provider="mock", cwd="/w", approval_policy="never",
                approvals_reviewer="user", sandbox={"type": "readOnly"},
            )  # fmt: skip
        return TurnStartResponse(Turn(id="turn", status="inProgress"))

    async def notifications(self) -> AsyncIterator[Notification]:
        if self.hangs:
            self.waiting.set()
            await self._interrupted.wait()
            yield self._ended("interrupted")
        if self.answer is not None:
            yield self._message("someone else's", "other")
            yield self._message(self.answer, ID)
        total = TokenUsage(input_tokens=120, cached_input_tokens=20, output_tokens=12)
        usage = ThreadTokenUsage(total=total, last=total)
        yield TokenUsageUpdated(thread_id=ID, turn_id="turn", token_usage=usage)
        yield self._ended("failed" if self.error else "completed")

    def _message(self, text: str, thread_id: str) -> Notification:
        item = AgentMessage(id="m", text=text)
        return ItemCompleted(item=item, thread_id=thread_id, turn_id="turn", completed_at_ms=1)

    def _ended(self, status: Any) -> Notification:
        error = TurnError(self.error) if self.error else None
        return TurnCompleted(thread_id=ID, turn=Turn(id="turn", status=status, error=error))

    def params(self, method: str) -> Any:
        return next(params for asked, params in self.asked if asked == method)


@pytest.fixture
def stdin(tmp_path: Path) -> Iterator[Callable[[bytes], None]]:
    """Return a function that puts bytes on standard input."""
    kept = os.dup(0)

    def give(data: bytes) -> None:
        path = tmp_path / "stdin"
        path.write_bytes(data)
        descriptor = os.open(path, os.O_RDONLY)
        os.dup2(descriptor, 0)
        os.close(descriptor)

    give(b"")
    yield give
    os.dup2(kept, 0)
    os.close(kept)


@pytest.fixture
def codex(host: Any, capfd: Any, stdin: Any) -> Callable[..., Any]:
    """Return a function that runs the command: exit status, standard output, standard error."""

    async def execute(server: Server, *arguments: str, **options: Any) -> tuple[int, str, str]:
        opened = await host(plugins=[("server", server)], **options).opened()
        status = await run(arguments, opened.application)
        printed = capfd.readouterr()
        return status, printed.out, printed.err

    return execute


async def test_a_turn_ends_with_its_message_on_standard_output(codex) -> None:
    server = Server()

    status, out, err = await codex(server, FULL, "say hello")

    assert (status, out) == (0, "hello\n")
    assert err.startswith("Reading additional input from stdin...\ncodex-host v")
    assert err.endswith("user\nsay hello\ncodex\nhello\ntokens used\n112\n")
    assert server.client["session_source"] == "exec"
    assert server.client["client_name"] == "codex_exec"
    assert server.left


async def test_json_lines_begin_with_the_thread(codex) -> None:
    status, out, err = await codex(Server(), FULL, "--json", "hi")

    assert status == 0
    assert [json.loads(line)["type"] for line in out.splitlines()] == [
        "thread.started",
        "item.completed",
        "turn.completed",
    ]
    assert json.loads(out.splitlines()[0]) == {"type": "thread.started", "thread_id": ID}
    assert err == "Reading additional input from stdin...\n"


async def test_options_are_settings_of_the_thread(codex, tmp_path) -> None:
    server = Server()
    config = {"sandbox_workspace_write.writable_roots": ["/kept"]}
    words = "-m big --full-auto --add-dir sub --add-dir /abs --ephemeral --dangerously-bypass-hook-trust"

    await codex(server, *words.split(), "--skip-git-repo-check", "hi", config=config)

    params = server.params("thread/start")
    assert (params.model, params.sandbox, params.approval_policy) == ("big", "workspace-write", "never")
    assert params.ephemeral is True
    assert params.config == {
        "sandbox_workspace_write.writable_roots": ["/kept", str(tmp_path / "project" / "sub"), "/abs"],
        "bypass_hook_trust": True,
    }


async def test_a_local_provider_has_a_default_model(codex) -> None:
    server = Server()

    await codex(server, FULL, "--oss", "--local-provider", "ollama", "hi")

    params = server.params("thread/start")
    assert (params.model_provider, params.model) == ("ollama", "gpt-oss:20b")


async def test_a_local_provider_must_be_known(codex) -> None:
    status, _, err = await codex(Server(), FULL, "--oss", "hi")

    assert status == 1
    assert err.startswith(
        "Error: No default OSS provider configured. Use --local-provider=provider or set oss_provider"
    )


async def test_options_without_an_effect_are_told(codex, tmp_path) -> None:
    (tmp_path / "project" / "sub").mkdir(parents=True)

    words = ("--local-provider", "ollama", "--add-dir", "nowhere", "--add-dir", "sub", "hi")
    status, _, err = await codex(Server(), FULL, "--json", *words)

    assert status == 0
    assert [line for line in err.splitlines() if line.startswith("warning: ")] == [
        "warning: --local-provider has no effect without --oss",
        "warning: --add-dir nowhere: there is no such directory",
        "warning: --add-dir has no effect: the sandbox is read-only (-s workspace-write lets commands write)",
    ]


async def test_outside_of_a_repository_nothing_runs(codex) -> None:
    status, out, err = await codex(Server(), "hello")

    assert (status, out) == (1, "")
    assert err == "Not inside a trusted directory and --skip-git-repo-check was not specified.\n"


async def test_inside_of_a_repository_no_flag_is_needed(codex) -> None:
    status, _, _ = await codex(Server(), "hello", files={".git/HEAD": ""})

    assert status == 0


async def test_a_failed_turn_exits_with_status_one_and_writes_no_file(codex, tmp_path) -> None:
    last = tmp_path / "last.txt"

    status, out, err = await codex(Server(error="no luck"), FULL, "-o", str(last), "hi")

    assert (status, out) == (1, "")
    assert "ERROR: no luck\n" in err
    assert not last.exists()


async def test_the_last_message_is_written_without_a_line_end(codex, tmp_path) -> None:
    last = tmp_path / "last.txt"

    await codex(Server(answer="two\nlines"), FULL, "-o", str(last), "hi")

    assert last.read_bytes() == b"two\nlines"


async def test_without_a_message_the_file_is_empty_with_a_warning(codex, tmp_path) -> None:
    last = tmp_path / "last.txt"

    status, _, err = await codex(Server(answer=None), FULL, "-o", str(last), "hi")

    assert status == 0
    assert last.read_bytes() == b""
    assert f"Warning: no last agent message; wrote empty content to {last}\n" in err


async def test_a_file_that_can_not_be_written_is_an_error(codex) -> None:
    status, _, err = await codex(Server(), FULL, "-o", "/nope/last.txt", "hi")

    assert status == 1
    assert err.endswith("Failed to write the last message to /nope/last.txt: No such file or directory (os error 2)\n")


async def test_a_schema_is_sent_with_the_turn(codex, tmp_path) -> None:
    server = Server()
    schema = tmp_path / "schema.json"
    schema.write_text('{"type":"object"}')

    await codex(server, FULL, "--output-schema", str(schema), "hi")

    assert server.params("turn/start").output_schema == {"type": "object"}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "Failed to read output schema file {path}: No such file or directory (os error 2)\n"),
        ("{", "Output schema file {path} is not valid JSON: "),
        ("\xff", "Output schema file {path} is not valid JSON: "),
        (" " * (4 * 1024 * 1024 + 1), "Output schema file {path} is longer than 4 MiB\n"),
    ],
)
async def test_an_invalid_schema_file_is_named(codex, tmp_path, content: str | None, complaint: str) -> None:
    path = tmp_path / "schema.json"
    if content is not None:
        path.write_bytes(content.encode("latin-1"))

    status, out, err = await codex(Server(), FULL, "--output-schema", str(path), "hi")

    assert (status, out) == (1, "")
    assert complaint.format(path=path) in err


async def test_a_schema_can_be_read_from_a_pipe(codex, tmp_path) -> None:
    server, path = Server(), tmp_path / "schema.json"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    os.write(writer, b'{"type": "object"}')
    threading.Timer(0.5, os.close, [writer]).start()

    assert (await codex(server, FULL, "--output-schema", str(path), "hi"))[0] == 0
    assert server.params("turn/start").output_schema == {"type": "object"}
    assert "is not valid JSON" in (await codex(Server(), FULL, "--output-schema", str(path), "hi"))[2]


async def test_images_come_before_the_text(codex, tmp_path) -> None:
    server = Server()
    image = tmp_path / "a.png"
    image.touch()

    await codex(server, FULL, "look", "-i", str(image))

    assert server.params("turn/start").input == [
        {"type": "localImage", "path": str(image)},
        {"type": "text", "text": "look", "text_elements": []},
    ]


async def test_a_missing_image_is_named(codex) -> None:
    status, _, err = await codex(Server(), FULL, "look", "-i", "/nope.png")

    assert status == 1
    assert err.endswith("Failed to read image /nope.png: No such file or directory (os error 2)\n")


async def test_a_session_is_resumed_by_its_id(codex, stdin) -> None:
    server = Server()
    server.stored = [thread()]
    stdin(b"not read")

    status, _, err = await codex(server, FULL, "--json", "resume", ID, "again")

    assert (status, err) == (0, "")
    assert server.params("thread/resume").thread_id == ID
    assert server.params("turn/start").input[0]["text"] == "again"


async def test_an_unknown_session_prints_nothing_but_the_error(codex) -> None:
    status, out, err = await codex(Server(), FULL, "--json", "resume", ID, "x")

    assert (status, out) == (1, "")
    assert err == f"Error: thread/resume: thread/resume failed: no rollout found for thread id {ID}\n"


async def test_a_session_is_resumed_by_the_start_of_its_id(codex) -> None:
    server = Server()
    server.stored = [thread("01a20248-0000-78c1-9ed2-8f218306b201"), thread("01a20248-0001-78c1-9ed2-8f218306b201")]

    both, _, err = await codex(server, FULL, "resume", "01A20248", "again")
    short, _, told = await codex(server, FULL, "resume", "01a2024", "again")
    assert (both, short) == (1, 1)
    assert err.startswith(
        "Error: the ids of 2 sessions start with 01A20248; give the whole id of one:\n  01a20248-0000-"
    )
    assert "no session is named `01a2024`; give its whole id" in told
    status, _, _ = await codex(server, FULL, "resume", "01a20248-0001", "again")

    assert status == 0
    assert server.params("thread/resume").thread_id == "01a20248-0001-78c1-9ed2-8f218306b201"


async def test_a_session_is_resumed_by_its_name(codex) -> None:
    server = Server()
    server.stored = [thread("01a20248-0000-78c1-9ed2-8f218306b201", "other"), thread(ID, "mine")]

    status, _, _ = await codex(server, FULL, "resume", "mine", "again")

    assert status == 0
    assert server.params("thread/resume").thread_id == ID


async def test_an_unknown_name_is_an_error(codex) -> None:
    status, _, err = await codex(Server(), FULL, "resume", "nobody", "again")

    assert status == 1
    assert err == "Error: no session is named `nobody`; give its whole id, or --last for the newest one\n"


@pytest.mark.parametrize("everywhere", [False, True])
async def test_the_newest_session_of_this_or_all_directories_is_resumed(
    codex, stdin, tmp_path, everywhere: bool
) -> None:
    server = Server()
    server.stored = [thread()]
    stdin(b"from stdin")

    await codex(server, FULL, "--json", "resume", "--last", *(["--all"] if everywhere else []), "-")

    assert server.params("thread/list").cwd == (None if everywhere else str(tmp_path / "project"))
    assert server.params("thread/resume").thread_id == ID
    assert server.params("turn/start").input[0]["text"] == "from stdin"


async def test_without_sessions_a_new_one_is_started(codex) -> None:
    server = Server()

    status, _, _ = await codex(server, FULL, "resume", "--last", "hello")

    assert status == 0
    assert [method for method, _ in server.asked] == ["thread/list", "thread/start", "turn/start"]


async def test_resuming_needs_a_session(codex) -> None:
    status, _, err = await codex(Server(), FULL, "resume")

    assert status == 2
    assert err == "error: which session? Give its id or name, or --last for the newest one\n"


@pytest.mark.parametrize(
    ("words", "target"),
    [
        ("--uncommitted", {"type": "uncommittedChanges"}),
        ("--base main", {"type": "baseBranch", "branch": "main"}),
        ("--commit abc --title fix", {"type": "commit", "sha": "abc", "title": "fix"}),
        ("names", {"type": "custom", "instructions": "names"}),
    ],
)
async def test_a_review_names_its_target(codex, words: str, target: dict[str, Any]) -> None:
    server = Server()

    status, out, _ = await codex(server, FULL, "--json", "review", *words.split())

    assert status == 0
    assert server.params("review/start") == {"threadId": ID, "target": target}
    assert json.loads(out.splitlines()[-1])["usage"]["input_tokens"] == 0


async def test_a_review_of_nothing_is_refused(codex) -> None:
    status, _, err = await codex(Server(), FULL, "review")

    assert status == 1
    assert err == "Error: Specify --uncommitted, --base, --commit, or provide custom review instructions\n"


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 1), (signal.SIGTERM, 143)])
async def test_a_signal_interrupts_the_turn(codex, number: signal.Signals, status: int) -> None:
    server = Server()
    server.hangs = True
    running = asyncio.create_task(codex(server, FULL, "work"))
    async with asyncio.timeout(10):
        await server.waiting.wait()

    os.kill(os.getpid(), number)
    async with asyncio.timeout(10):
        ended, out, err = await running

    assert (ended, out) == (status, "")
    assert err.endswith("turn interrupted\n")
    assert server.params("turn/interrupt").turn_id == "turn"


async def test_a_closed_pipe_on_standard_output_ends_the_command_quietly(codex, capfd) -> None:
    server = Server()
    kept = os.dup(1)
    reading, writing = os.pipe()
    os.close(reading)
    os.dup2(writing, 1)
    try:
        status, _, err = await codex(server, FULL, "--json", "hi")
    finally:
        os.dup2(kept, 1)
        os.close(writing)
        os.close(kept)

    assert status == 1
    assert err == "Reading additional input from stdin...\n"
    assert server.left


async def test_a_wrong_command_line_exits_with_status_two_before_any_request(codex) -> None:
    server = Server()

    status, out, err = await codex(server, "--nope")

    assert (status, out) == (2, "")
    assert err.startswith("error: unexpected argument '--nope' found\n")
    assert server.asked == []
