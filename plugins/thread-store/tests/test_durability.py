"""What was kept survives: killed processes, torn lines, broken lines, full disks, second writers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from codex_hookspecs.errors import StorageError, ThreadBusy
from codex_hookspecs.protocol import uuid7
from codex_hookspecs.storage import ThreadMeta
from codex_testkit.suites._store_samples import VERSION, settings, turn
from codex_thread_store import files
from codex_thread_store.store import RolloutStore
from codex_thread_store.writer import RolloutWriter

pytestmark = pytest.mark.anyio

CHILD = """
import asyncio, sys
from codex_testkit.suites._store_samples import settings, turn
from codex_hookspecs.storage import ThreadMeta
from codex_thread_store.store import RolloutStore

async def main(home, thread_id):
    store = RolloutStore(home, warn=print)
    meta = ThreadMeta(thread_id=thread_id, settings=settings(), created_at_ms=0, cli_version="1")
    writer = await store.create(meta)
    for number in range(1_000_000):
        await writer.append(turn(f"t{number}", "a" * 5000, "b" * 5000))
        print(number, flush=True)
        if number >= LAST:
            sys.stdin.read()

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[RolloutStore]:
    store = RolloutStore(str(tmp_path), warn=print)
    yield store
    await store.aclose()


class Child:
    """Another process that writes a thread."""

    def __init__(self, home: Path, last: int) -> None:
        self.thread_id = uuid7()
        self.process = subprocess.Popen(
            [sys.executable, "-c", CHILD.replace("LAST", str(last)), str(home), self.thread_id],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, number: int) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if int(line) >= number:
                return

    def kill(self) -> int:
        """Kill it and return the number of the last turn it said it had kept."""
        self.process.send_signal(signal.SIGKILL)
        out, _ = self.process.communicate(timeout=10)
        return int((out.splitlines() or ["0"])[-1])


@pytest.fixture
def child(tmp_path: Path) -> Iterator[type[Child]]:
    created = []

    def make(last: int = 1_000_000) -> Child:
        created.append(Child(tmp_path, last))
        return created[-1]

    yield make  # type: ignore[misc]
    for one in created:
        one.process.kill()
        one.process.communicate(timeout=10)


async def created(store: RolloutStore) -> tuple[RolloutWriter, str]:
    thread_id = uuid7()
    meta = ThreadMeta(thread_id=thread_id, settings=settings(), created_at_ms=0, cli_version=VERSION)
    return await store.create(meta), thread_id


async def test_a_killed_process_loses_nothing_it_was_told_is_kept(store: RolloutStore, child: type[Child]) -> None:
    other = child()  # type: ignore[call-arg]
    other.wait_for(20)
    last = max(other.kill(), 20)

    stored, writer = await store.open(other.thread_id, cli_version=VERSION)
    await writer.append(turn("after", "c", "d"))
    await writer.aclose()

    turns = (await store.read(other.thread_id)).thread.turns
    assert [turn.id for turn in turns[: last + 1]] == [f"t{number}" for number in range(last + 1)]
    assert all(turn.status == "completed" for turn in turns[: last + 1])
    assert turns[-1].id == "after"
    assert stored.thread.turns == turns[:-1]


async def test_a_second_process_is_told_who_writes_the_thread(store: RolloutStore, child: type[Child]) -> None:
    other = child(0)  # type: ignore[call-arg]
    other.wait_for(0)

    with pytest.raises(ThreadBusy, match=f"process {other.process.pid} is writing") as caught:
        await store.open(other.thread_id, cli_version=VERSION)
    assert (await store.read(other.thread_id)).thread.turns[0].status == "completed"
    other.kill()
    _, writer = await store.open(other.thread_id, cli_version=VERSION)
    await writer.aclose()

    assert "start a new thread" in str(caught.value)


async def test_without_a_table_of_locks_the_other_process_is_just_another_one(
    store: RolloutStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, thread_id = await created(store)
    await writer.append(turn("t1", "a", "b"))
    monkeypatch.setattr("codex_thread_store.files.find_holder", lambda _: None)

    with pytest.raises(ThreadBusy, match="another process is writing"):
        await store.open(thread_id, cli_version=VERSION)
    await writer.aclose()


async def test_a_thread_that_a_running_codex_holds_is_busy(store: RolloutStore, tmp_path: Path) -> None:
    writer, thread_id = await created(store)
    await writer.append(turn("t1", "a", "b"))
    await writer.aclose()
    path = tmp_path / "thread-writer-locks" / f"{thread_id}.lock"
    path.parent.mkdir()
    with path.open("w") as codex:
        assert files.lock(codex.fileno())

        with pytest.raises(ThreadBusy):
            await store.open(thread_id, cli_version=VERSION)

    _, second = await store.open(thread_id, cli_version=VERSION)
    await second.aclose()


def test_nobody_holds_the_lock_of_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert files.find_holder(str(tmp_path / "none")) is None


async def test_a_torn_last_line_is_ignored_and_ended_before_more_is_written(store: RolloutStore) -> None:
    writer, thread_id = await created(store)
    await writer.append(turn("t1", "a", "b"))
    await writer.aclose()
    with open(writer.path, "ab") as file:
        file.write(b'{"timestamp":"2026-01-01T00:00:00.000Z","type":"event_m')

    stored, second = await store.open(thread_id, cli_version=VERSION)
    await second.append(turn("t2", "c", "d"))
    await second.aclose()

    assert [turn.id for turn in stored.thread.turns] == ["t1"]
    assert [turn.id for turn in (await store.read(thread_id)).thread.turns] == ["t1", "t2"]
    broken = [line for line in Path(writer.path).read_bytes().splitlines() if not line.endswith(b"}")]
    assert len(broken) == 1


async def test_lines_that_are_broken_or_unknown_are_skipped_and_counted(
    store: RolloutStore, capsys: pytest.CaptureFixture[str]
) -> None:
    writer, thread_id = await created(store)
    await writer.append(turn("t1", "a", "b"))
    await writer.aclose()
    strange = [
        b"not json",
        b"[]",
        b'{"type":"event_msg"}',
        b'{"type":"event_msg","payload":{}}',
        b'{"type":"event_msg","payload":{"type":"item_completed","item":{"type":"userMessage"}}}',
        b'{"type":"event_msg","payload":{"type":"item_completed","item":{"type":"CommandExecution","id":"x"}}}',
        b'{"type":"event_msg","payload":{"type":"thread_rolled_back","num_turns":"x"}}',
        b'{"type":"event_msg","payload":{"type":"brand_new"}}',
        b'{"type":"brand_new","payload":{"a":1}}',
        b'{"timestamp":5,"type":"turn_context","payload":{"sandbox_policy":{"type":"odd"},"model":"m2"}}',
        b'{"type":"response_item","payload":{"type":"message","role":"user","content":null}}',
        b"\xff\xfe",
        b"",
    ]
    with open(writer.path, "ab") as file:
        file.write(b"\n".join(strange) + b"\n")

    stored, second = await store.open(thread_id, cli_version=VERSION)
    await second.append(turn("t2", "c", "d"))
    await second.aclose()

    assert [turn.id for turn in (await store.read(thread_id)).thread.turns] == ["t1", "t2"]
    assert stored.settings["model"] == "m2"
    assert "skipped 7 broken lines" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"\n\n", b"garbage\n", b'{"type":"event_msg","payload":{"type":"x"}}\n'])
async def test_a_file_that_is_no_rollout_is_refused_by_name(
    store: RolloutStore, tmp_path: Path, content: bytes
) -> None:
    thread_id = uuid7()
    path = tmp_path / "sessions/2026/01/02" / f"rollout-2026-01-02T03-04-05-{thread_id}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)

    with pytest.raises(StorageError, match="no session_meta line") as caught:
        await store.open(thread_id, cli_version=VERSION)

    assert str(path) in str(caught.value)
    assert path.read_bytes() == content


LIMITED = """
import asyncio, json, resource, signal, sys
from codex_hookspecs.errors import StorageError
from codex_testkit.suites._store_samples import settings, turn
from codex_hookspecs.storage import ThreadMeta
from codex_thread_store.store import RolloutStore

async def main(home, thread_id):
    store = RolloutStore(home, warn=lambda text: None)
    meta = ThreadMeta(thread_id=thread_id, settings=settings(), created_at_ms=0, cli_version="1")
    writer = await store.create(meta)
    await writer.append(turn("t1", "a", "b"))
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        await writer.append(turn("t2", "c" * 50_000, "d"))
    except StorageError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await writer.append(turn("t3", "e", "f"))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_what_could_not_be_written_is_written_with_what_follows(store: RolloutStore, tmp_path: Path) -> None:
    thread_id = uuid7()
    run = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path), thread_id],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    stored = await store.read(thread_id)

    assert run.stdout.startswith("writing the thread's file ")
    assert "File too large; free space" in run.stdout
    assert [turn.id for turn in stored.thread.turns] == ["t1", "t2", "t3"]
    lines = Path(stored.thread.path or "").read_bytes().splitlines()
    assert all(json.loads(line) for line in lines)


async def test_a_directory_that_can_not_be_made_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "sessions").write_text("in the way")
    store = RolloutStore(str(tmp_path), warn=print)
    writer, _ = await created(store)

    with pytest.raises(StorageError, match=r"creating the thread's file .*: (File exists|Not a directory); "):
        await writer.append(turn("t1", "a", "b"))
    (tmp_path / "sessions").unlink()
    await writer.append(turn("t2", "c", "d"))
    await writer.aclose()
    await store.aclose()

    text = Path(writer.path).read_text("utf-8")
    assert text.count("session_meta") == 1
    assert "t1" in text
    assert "t2" in text


async def test_a_thread_that_exists_is_not_made_again(store: RolloutStore) -> None:
    writer, thread_id = await created(store)
    await writer.append(turn("t1", "a", "b"))
    meta = ThreadMeta(thread_id=thread_id, settings=settings(), created_at_ms=0, cli_version=VERSION)

    second = await store.create(meta)

    with pytest.raises(StorageError, match="File exists"):
        await second.append(turn("t1", "a", "b"))
    await writer.aclose()


async def test_a_file_that_may_not_be_written_is_one_clear_error(
    store: RolloutStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer, thread_id = await created(store)
    await writer.append(turn("t1", "a", "b"))
    await writer.aclose()
    real = os.open

    def refusing(path: str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_RDWR and str(path).endswith(".jsonl"):
            raise PermissionError(13, "Permission denied", path)
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(StorageError, match=r"opening the thread's file .*: Permission denied; "):
        await store.open(thread_id, cli_version=VERSION)
