"""A launch calls what its launcher gave it once each, in order, whatever happens."""

from __future__ import annotations

import pytest

from codex_hookspecs.sandbox import Launch


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture
def launch(calls: list[str]) -> Launch:
    return Launch(
        argv=("ls",), env={}, on_started=lambda: calls.append("started"), on_ended=lambda: calls.append("ended")
    )


def test_a_program_that_was_started_is_told_once(launch: Launch, calls: list[str]) -> None:
    with launch:
        launch.started()
        launch.started()
        assert calls == ["started"]

    assert calls == ["started", "ended"]


def test_a_program_that_was_never_started_is_cleared_up_after_as_well(launch: Launch, calls: list[str]) -> None:
    with pytest.raises(FileNotFoundError), launch:
        raise FileNotFoundError

    assert calls == ["started", "ended"]


def test_closing_twice_clears_up_once(launch: Launch, calls: list[str]) -> None:
    launch.close()
    launch.close()

    assert calls == ["started", "ended"]


def test_a_failure_to_let_go_keeps_nothing_from_being_cleared_up(calls: list[str]) -> None:
    def fail() -> None:
        raise BlockingIOError

    launch = Launch(argv=("ls",), env={}, on_started=fail, on_ended=lambda: calls.append("ended"))

    with pytest.raises(BlockingIOError):
        launch.close()

    assert calls == ["ended"]


def test_a_launch_without_callbacks_needs_none() -> None:
    with Launch(argv=("ls",), env={}) as launch:
        launch.started()


def test_launches_are_compared_by_what_they_run() -> None:
    used = Launch(argv=("ls",), env={})
    used.close()

    assert used == Launch(argv=("ls",), env={})
