"""Clients read and change the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.anyio

EMPTY = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


async def home_of(client: Any) -> Path:
    read = await client.result("config/read", {"includeLayers": True})
    return Path(next(layer["name"]["file"] for layer in read["layers"] if layer["name"]["type"] == "user")).parent


def write(key: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"keyPath": key, "value": value, "mergeStrategy": "replace", **more}


async def test_configuration_comes_with_where_it_came_from(connect) -> None:
    client = await connect(config={"model": "mine", "features.x": True, "notify": ["a", "b"]})

    read = await client.result("config/read", {"includeLayers": True})
    brief = await client.result("config/read", {})

    assert read["config"]["model"] == "mine"
    assert read["config"]["review_model"] is None
    assert read["config"]["features"] == {
        "x": True, "apps": True, "plugins": True, "tool_search": False, "tool_suggest": True,
        "tool_call_mcp_elicitation": True,
    }  # fmt: skip
    assert read["origins"]["model"]["name"] == {"type": "sessionFlags"}
    assert {"notify.0", "notify.1", "features.x"} <= read["origins"].keys()
    assert [layer["name"]["type"] for layer in read["layers"]] == ["sessionFlags", "user", "system"]
    assert EMPTY in {layer["version"] for layer in read["layers"]}
    assert "layers" not in brief


async def test_projects_count_for_their_directories(connect) -> None:
    client = await connect()
    home = await home_of(client)
    project = home.parent / "project"
    (project / ".git").mkdir(parents=True)
    (project / ".codex").mkdir()
    (project / ".codex" / "config.toml").write_text("model_verbosity = 'high'\n")

    untrusted = await client.result("config/read", {"includeLayers": True, "cwd": str(project)})
    await client.result("config/value/write", write(f'projects."{project}".trust_level', "trusted"))
    trusted = await client.result("config/read", {"includeLayers": True, "cwd": str(project)})

    assert untrusted["config"]["model_verbosity"] is None
    assert "is not trusted" in untrusted["layers"][1]["disabledReason"]
    assert trusted["config"]["model_verbosity"] == "high"
    assert trusted["origins"]["model_verbosity"]["name"] == {
        "type": "project",
        "dotCodexFolder": str(project / ".codex"),
    }


async def test_the_table_of_a_profile_is_no_layer(connect) -> None:
    client = await connect(config={"model": "a", "profile": "p", "profiles.p.model": "b"})

    read = await client.result("config/read", {"includeLayers": True})

    assert read["config"]["model"] == "a"
    assert len(read["layers"]) == 3


async def test_a_written_value_is_in_force_for_new_threads(connect) -> None:
    client = await connect()
    old = await client.result("thread/start", {})

    written = await client.result("config/value/write", write("model", "gpt-written"))
    new = await client.result("thread/start", {})

    assert written["status"] == "ok"
    assert written["overriddenMetadata"] is None
    assert (old["model"], new["model"]) == ("gpt-5.3-codex", "gpt-written")


async def test_a_misspelt_key_is_told_after_it_was_written(connect) -> None:
    client = await connect()
    home = await home_of(client)

    await client.result("config/value/write", write("modle", "mine"))
    told = [(await client.until("configWarning"))[-1]["params"]["summary"]]
    await client.result("config/value/write", write("model_provider", "scripted"))
    told += [message["params"]["summary"] for message in client.last if message["method"] == "configWarning"]

    assert told == [f"{home}/config.toml: unknown key modle is ignored; did you mean model?"]


async def test_a_bad_value_of_a_request_is_said_to_be_of_the_request(connect) -> None:
    client = await connect()

    refusal = await client.refusal("thread/start", {"config": {"sandbox_mode": "x"}})

    assert refusal == (
        -32600,
        "config of the request: sandbox_mode = 'x', allowed is one of read-only, workspace-write, danger-full-access",
    )


async def test_a_change_is_made_by_the_version_that_the_client_has_seen(connect) -> None:
    client = await connect()

    first = await client.result("config/value/write", write("model", "a", expectedVersion=EMPTY))
    answer = await client.ask("config/value/write", write("model", "b", expectedVersion=EMPTY))
    await client.result("config/value/write", write("model", "c", expectedVersion=first["version"]))

    assert answer["error"]["code"] == -32600
    assert answer["error"]["data"] == {"config_write_error_code": "configVersionConflict"}
    assert (await client.result("config/read", {}))["config"]["model"] == "c"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        (write("approval_policy", "sometimes"), "configValidationError"),
        (write("", 1), "configValidationError"),
        (write("mcp_servers.a", {"command": 1}), "configValidationError"),
        (write("shell_environment_policy.set", {"A": 1}), "configValidationError"),
        (write("tui.notifications", 3), "configValidationError"),
        (write("history.max_bytes", "x"), "configValidationError"),
        (write("model", "x", filePath="/etc/codex/config.toml"), "configLayerReadonly"),
        (write("model", "x", filePath="config.toml"), "configLayerReadonly"),
    ],
)
async def test_a_refusal_says_its_kind(connect, params: dict[str, Any], code: str) -> None:
    client = await connect()

    answer = await client.ask("config/value/write", params)

    assert answer["error"]["code"] == -32600
    assert answer["error"]["data"] == {"config_write_error_code": code}
    assert not (await home_of(client) / "config.toml").exists()


async def test_a_batch_is_written_as_a_whole(connect) -> None:
    client = await connect(config={"model_verbosity": "low"})
    edits = [write("model", "x"), write("model_verbosity", "high")]

    refused = await client.ask("config/batchWrite", {"edits": [*edits, write("model_context_window", "many")]})
    untouched = not (await home_of(client) / "config.toml").exists()
    written = await client.result("config/batchWrite", {"edits": edits, "reloadUserConfig": True})

    assert refused["error"]["data"] == {"config_write_error_code": "configValidationError"}
    assert untouched
    assert written["status"] == "okOverridden"
    assert written["overriddenMetadata"]["message"] == "Overridden by session flags"
    assert written["overriddenMetadata"]["effectiveValue"] == "low"
    assert written["overriddenMetadata"]["overridingLayer"]["name"] == {"type": "sessionFlags"}


async def test_the_own_file_may_be_named(connect) -> None:
    client = await connect()
    home = await home_of(client)

    written = await client.result("config/value/write", write("model", "x", filePath=str(home / "config.toml")))

    assert written["filePath"] == str(home / "config.toml")


async def test_a_file_that_can_not_be_written_is_a_failure_of_the_machine(connect) -> None:
    client = await connect()
    (await home_of(client) / ".state.lock").mkdir()

    answer = await client.ask("config/value/write", write("model", "x"))

    assert answer["error"]["code"] == -32603
    assert "can't be changed" in answer["error"]["message"]


async def test_an_edited_file_that_is_invalid_is_told(connect) -> None:
    client = await connect()
    (await home_of(client) / "config.toml").write_text("model = [\n")

    code, message = await client.refusal("config/read", {})

    assert code == -32603
    assert message.startswith("failed to read configuration layers: ")
    assert (await client.refusal("thread/start", {}))[0] == -32600


async def test_administrators_require_nothing(connect) -> None:
    client = await connect()

    assert await client.result("configRequirements/read") == {"requirements": None}
    assert await client.result("configRequirements/read", None) == {"requirements": None}
    assert await client.refusal("configRequirements/read", 5) == (
        -32600,
        "Invalid request: invalid type: integer `5`, expected unit",
    )
