"""What is accounted of plugins, and what of it outlives the program."""

from __future__ import annotations

import json
from pathlib import Path

from codex_host.plugins.ledger import Ledger


def failing(ledger: Ledger, times: int, hook: str = "stop") -> list[bool]:
    return [ledger.failed("noisy", hook, "raised ValueError", version="1.0") for _ in range(times)]


def test_the_third_failure_in_a_row_of_one_hook_is_quarantine() -> None:
    ledger = Ledger()

    assert failing(ledger, 4) == [False, False, True, False]
    assert ledger.account("noisy").quarantined == {"stop": "stop raised ValueError 3x"}


def test_failures_of_different_hooks_are_counted_apart() -> None:
    ledger = Ledger()

    assert failing(ledger, 2, "stop") + failing(ledger, 2, "tools") == [False] * 4


def test_a_quarantine_outlives_the_program_and_is_lifted_for_good(tmp_path: Path) -> None:
    first = Ledger.in_home(str(tmp_path))
    failing(first, 3)
    first.save()

    second = Ledger.in_home(str(tmp_path))
    kept = dict(second.account("noisy").quarantined)
    lifted, again = second.release("noisy"), second.release("noisy")
    second.save()

    assert kept == {"stop": "stop raised ValueError 3x"}
    assert second.kept_version("noisy") == "1.0"
    assert (lifted, again) == (True, False)
    assert Ledger.in_home(str(tmp_path)).account("noisy").quarantined == {}


def test_what_another_process_wrote_in_the_meantime_is_kept(tmp_path: Path) -> None:
    before = Ledger.in_home(str(tmp_path))
    failing(before, 3)
    before.save()
    long_running = Ledger.in_home(str(tmp_path))
    other = Ledger.in_home(str(tmp_path))

    other.release("noisy")
    other.save()
    long_running.loaded("quiet", 5.0)
    long_running.save()

    after = Ledger.in_home(str(tmp_path))
    assert after.account("noisy").quarantined == {}
    assert after.account("quiet").load_ms == 5.0


def test_nothing_is_written_when_nothing_worth_it_changed(tmp_path: Path) -> None:
    ledger = Ledger.in_home(str(tmp_path))
    ledger.loaded("quiet", 5.0)
    ledger.save()
    file = tmp_path / "plugins" / "ledger.json"
    file.unlink()

    ledger.loaded("quiet", 6.0)
    ledger.save()

    assert not file.exists()


def test_the_file_is_for_people_too(tmp_path: Path) -> None:
    ledger = Ledger.in_home(str(tmp_path))
    ledger.loaded("quiet", 5.126)
    ledger.save()

    assert json.loads((tmp_path / "plugins" / "ledger.json").read_text()) == {"quiet": {"load_ms": 5.13}}
