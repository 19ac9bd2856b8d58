from codex_sink_journal import plugin
from codex_sink_journal.plugin import Journal


async def test_facts_are_appended_one_a_line(tmp_path):
    sink = Journal(tmp_path / "journal.jsonl")

    sink.record("turn/completed", {"durationMs": 12})
    sink.record("turn/completed", {"durationMs": 8})
    await sink.aclose()

    assert (tmp_path / "journal.jsonl").read_text() == (
        '{"fact": "turn/completed", "durationMs": 12}\n{"fact": "turn/completed", "durationMs": 8}\n'
    )


async def test_the_host_says_that_nothing_calls_it_yet(host, tmp_path):
    agent = host(plugins=[plugin])
    await agent.turn("go")

    warnings = (await agent.program()).startup_warnings()

    assert any("analytics_sink" in text for text in warnings)
    assert not (tmp_path / "home/journal.jsonl").exists()
