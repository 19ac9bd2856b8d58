"""The log on standard error: its levels, its forms, the ids in it, and what it never has."""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING

import pytest

from codex_host.logs import parse_levels

if TYPE_CHECKING:
    from codex_testkit import Project
    from tests.host.conftest import Distributions

OPTIONS = (
    "exec", "--skip-git-repo-check", "--sandbox", "danger-full-access",
    "-c", "model_provider=scripted", "-c", "model_providers.scripted.script=script.json",
)  # fmt: skip
TALKATIVE = """
from codex_hookspecs import hookimpl

@hookimpl
async def stop(event, host):
    log = host.logger("talkative")
    log.info("looked at %s", "the \\x1b[31mwards")
    log.warning("the key is %s", host.environ.get("TOWER_KEY", "absent"))
    log.error("Authorization: Bearer %s", "abcdefghijklmnop.qrstuv")
"""


@pytest.fixture
def place(project: Project, distributions: Distributions) -> Project:
    """Return a project with a script for the model and a trusted plugin that logs."""
    distributions.add("talkative", plugin=TALKATIVE)
    project.write({"script.json": '[[{"say": "all done"}]]'})
    project.run("plugins", "trust", "talkative").assert_success()
    return project


def run(place: Project, **environ: str) -> list[str]:
    """Run a turn with the plugin and return the lines of its log."""
    done = place.run(*OPTIONS, "go", environ=environ)
    done.assert_success()
    return [line for line in done.stderr.splitlines() if "talkative" in line]


def test_levels_are_general_or_those_of_one_plugin() -> None:
    general, levels, faults = parse_levels("warn, app-server=debug ,tool-exec=TRACE,off=,x=loud")

    assert general == logging.WARNING
    assert levels == {"app-server": logging.DEBUG, "tool-exec": 5}
    assert len(faults) == 2
    assert "'loud' is not a level" in faults[1]


def test_only_errors_are_logged_unless_asked(place: Project) -> None:
    lines = run(place)

    assert [re.split(r"\s+", line)[1] for line in lines] == ["ERROR"]


def test_one_plugin_is_made_talkative_alone(place: Project) -> None:
    lines = run(place, CODEX_LOG="off,talkative=info")

    assert [re.split(r"\s+", line)[1] for line in lines] == ["INFO", "WARN", "ERROR"]


def test_a_record_of_a_turn_has_time_and_ids_and_no_control_characters(place: Project) -> None:
    (first, *_) = run(place, CODEX_LOG="talkative=info")

    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z  INFO talkative: looked at the \^\[\[31mwards"
        r" thread_id=[0-9a-f-]{36} turn_id=[0-9a-f-]{36}",
        first,
    )


def test_the_json_form_has_the_same_as_members(place: Project) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    lines = run(place, CODEX_LOG="talkative=warn", CODEX_LOG_FORMAT="json", TRACEPARENT=parent)

    records = [json.loads(line) for line in lines]
    assert [record["level"] for record in records] == ["WARN", "ERROR"]
    assert {record["target"] for record in records} == {"talkative"}
    assert {record["trace_id"] for record in records} == {"0af7651916cd43dd8448eb211c80319c"}
    assert all(len(record["turn_id"]) == 36 and record["timestamp"].endswith("Z") for record in records)


def test_secrets_are_never_logged(place: Project) -> None:
    text = "\n".join(run(place, CODEX_LOG="talkative=debug", TOWER_KEY="under-the-third-step"))

    assert "the key is [redacted]" in text
    assert "Bearer [redacted]" in text
    assert "third-step" not in text
    assert "abcdefghijklmnop" not in text


def test_levels_of_plugins_that_the_command_does_not_use_are_no_fault(place: Project) -> None:
    done = place.run(*OPTIONS, "go", environ={"CODEX_LOG": "host=warn,exec-server=warn,auth-websocket=warn,git=warn"})

    assert "CODEX_LOG" not in done.stderr


def test_a_wrong_level_is_told_and_the_rest_counts(place: Project) -> None:
    done = place.run(*OPTIONS, "go", environ={"CODEX_LOG": "chatty,talkative=warn,nobody=warn"})

    assert "ERROR host: CODEX_LOG: 'chatty' is not a level" in done.stderr
    assert done.stderr.count("ERROR host: CODEX_LOG: there is no plugin nobody; ") == 1
    assert "the key is" in done.stderr
