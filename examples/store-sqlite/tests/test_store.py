import pytest

from codex_store_sqlite import plugin
from codex_store_sqlite.store import SqliteStore
from codex_testkit.suites.store import ThreadStoreContract


class TestStore(ThreadStoreContract):
    @pytest.fixture
    async def store(self, tmp_path):
        self.file = tmp_path / "threads.sqlite"
        store = SqliteStore(self.file)
        yield store
        await store.aclose()

    async def reopened(self, store):
        return SqliteStore(self.file)


async def test_what_could_not_be_kept_is_kept_with_the_next_records(host, model, tmp_path):
    store = SqliteStore(tmp_path / "threads.sqlite")
    agent = host(store=store, model=model("one", "two", "three"))
    await agent.turn("first")

    store.change("PRAGMA query_only = 1")
    await agent.turn("second")
    store.change("PRAGMA query_only = 0")
    run = await agent.turn("third")

    turns = (await store.read(run.thread.id)).thread.turns
    assert [turn.status for turn in turns] == ["completed", "failed", "completed"]


async def test_a_thread_of_the_program_is_kept(host, model, tmp_path):
    run = await host(plugins=[plugin], model=model("hello")).turn("hi")

    stored = await SqliteStore(tmp_path / "home/threads.sqlite").read(run.thread.id)

    assert stored.thread.preview == "hi"
    assert stored.thread.turns[0].items[-1].text == "hello"
