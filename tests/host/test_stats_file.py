"""What is accounted of plugins, and what of it outlives the program."""

from __future__ import annotations

import json
from pathlib import Path

from codex_host.plugins.stats_file import StatsFile


def fail(stats_file: StatsFile, times: int, hook: str = "stop") -> list[bool]:
    return [stats_file.record_failure("noisy", hook, "raised ValueError", version="1.0") for _ in range(times)]


def test_the_third_failure_in_a_row_of_one_hook_is_quarantine() -> None:
    stats_file = StatsFile()

    assert fail(stats_file, 4) == [False, False, True, False]
    assert stats_file.stats("noisy").quarantined == {"stop": "stop raised ValueError 3x"}


def test_failures_of_different_hooks_are_counted_apart() -> None:
    stats_file = StatsFile()

    assert fail(stats_file, 2, "stop") + fail(stats_file, 2, "tools") == [False] * 4


def test_a_quarantine_outlives_the_program_and_is_lifted_for_good(tmp_path: Path) -> None:
    first = StatsFile.in_home(str(tmp_path))
    fail(first, 3)
    first.save()

    second = StatsFile.in_home(str(tmp_path))
    kept = dict(second.stats("noisy").quarantined)
    lifted, again = second.end_quarantine("noisy"), second.end_quarantine("noisy")
    second.save()

    assert kept == {"stop": "stop raised ValueError 3x"}
    assert second.recorded_version("noisy") == "1.0"
    assert (lifted, again) == (True, False)
    assert StatsFile.in_home(str(tmp_path)).stats("noisy").quarantined == {}


def test_what_another_process_wrote_in_the_meantime_is_kept(tmp_path: Path) -> None:
    before = StatsFile.in_home(str(tmp_path))
    fail(before, 3)
    before.save()
    long_running = StatsFile.in_home(str(tmp_path))
    other = StatsFile.in_home(str(tmp_path))

    other.end_quarantine("noisy")
    other.save()
    long_running.record_load("quiet", 5.0)
    long_running.save()

    after = StatsFile.in_home(str(tmp_path))
    assert after.stats("noisy").quarantined == {}
    assert after.stats("quiet").load_ms == 5.0


def test_nothing_is_written_when_nothing_worth_it_changed(tmp_path: Path) -> None:
    stats_file = StatsFile.in_home(str(tmp_path))
    stats_file.record_load("quiet", 5.0)
    stats_file.save()
    file = tmp_path / "plugins" / "ledger.json"
    file.unlink()

    stats_file.record_load("quiet", 6.0)
    stats_file.save()

    assert not file.exists()


def test_the_file_is_for_people_too(tmp_path: Path) -> None:
    stats_file = StatsFile.in_home(str(tmp_path))
    stats_file.record_load("quiet", 5.126)
    stats_file.save()

    assert json.loads((tmp_path / "plugins" / "ledger.json").read_text()) == {"quiet": {"load_ms": 5.13}}
