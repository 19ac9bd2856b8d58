"""Requests about the program: the same to the real app-servers and to ours, and the answers compared."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from interop.app_server import AppServer
from interop.clients import OURS, REAL_118, REAL_169, Codex, Stage
from interop.conftest import need

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from codex_testkit.servers.responses import ResponsesServer

CONFIG = """\
# my settings
model = "gpt-5.2-codex"   # the good one
approval_policy = "never"
notify = ["a", "b"]

[features]
apps = true

[[skills.config]]
path = "/a"
enabled = false
"""


def write(key: str, value: Any, strategy: str = "replace", **more: Any) -> dict[str, Any]:
    return {"keyPath": key, "value": value, "mergeStrategy": strategy, **more}


WRITES = [
    write("model", "gpt-x"),
    write("zzz.yyy", 5),
    write("nothing", None),
    write("tui.theme", "dark"),
    write("tui", {"notifications": True}, "upsert"),
    write("tui", {"animations": False}),
    write("sandbox_workspace_write.writable_roots", ["/a", "/b"]),
    write("skills.config", [{"path": "/b", "enabled": True}]),
    write("zzz", None),
    write("model", None),
    write("approval_policy", "perhaps"),
    write("model_context_window", 1.5),
    write("model_verbosity.deep", 1),
    write("model_verbosity", [None]),
    write("", 1),
    write("model", "m", filePath="/etc/codex/config.toml"),
    write("model", "m", expectedVersion="sha256:0"),
]


@pytest.fixture
def both(folder: Path, server: ResponsesServer) -> Callable[..., list[Any]]:
    """Hold a conversation with the real 0.118.0 and with ours; return what both said."""

    def run(talk: Callable[[AppServer, Stage], Any], *, config: str = CONFIG) -> list[Any]:
        need(REAL_118.path, "codex 0.118.0")
        said = []
        for codex in (REAL_118, OURS):
            stage = set_up(codex, folder, server, config)
            with AppServer(codex, stage) as running:
                said.append(without_paths(talk(running, stage), stage))
        return said

    return run


def set_up(codex: Codex, folder: Path, server: ResponsesServer, config: str) -> Stage:
    stage = Stage(folder / codex.name, server.url)
    stage.set_up(codex, config)
    return stage


def without_paths(value: Any, stage: Stage) -> Any:
    return json.loads(json.dumps(value).replace(str(stage.folder), "$STAGE"))


def ask(server: AppServer, method: str, params: Any) -> Any:
    """Return the result, or code, data and nothing else of the error."""
    try:
        return server.request(method, **params)
    except RuntimeError as error:
        text = str(error)
        return {"code": -32600 if "-32600" in text else text, "kind": [word for word in KINDS if word in text]}


KINDS = ("configValidationError", "configVersionConflict", "configLayerReadonly")


def set_keys(value: Any) -> Any:
    """Leave out members that are null: the real one names every key that it knows."""
    if isinstance(value, dict):
        return {key: set_keys(part) for key, part in value.items() if part is not None}
    return [set_keys(part) for part in value] if isinstance(value, list) else value


def test_layers_origins_and_versions_are_the_same(both: Callable[..., list[Any]]) -> None:
    def talk(server: AppServer, stage: Stage) -> Any:
        (stage.ws / ".git").mkdir(exist_ok=True)
        (stage.ws / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
        (stage.ws / ".codex").mkdir()
        (stage.ws / ".codex" / "config.toml").write_text("model_verbosity = 'high'\n")
        server.request("config/value/write", **write("projects", {str(stage.ws): {"trust_level": "trusted"}}))
        return [
            server.request("config/read", includeLayers=True, cwd=cwd)
            for cwd in (None, str(stage.ws), f"{stage.ws}/not/there")
        ]

    real, ours = both(talk)

    for theirs, mine in zip(real, ours, strict=True):
        assert mine["origins"].keys() == theirs["origins"].keys()
        names = {key: origin["name"] for key, origin in theirs["origins"].items()}
        assert {key: origin["name"] for key, origin in mine["origins"].items()} == names
        assert [layer["name"] for layer in mine["layers"]] == [layer["name"] for layer in theirs["layers"]]
        read = set_keys(mine["config"])
        assert {key: read[key] for key in ("model", "features", "approval_policy", "notify")} == {
            key: theirs["config"][key] for key in ("model", "features", "approval_policy", "notify")
        }


def test_versions_and_contents_after_each_change_are_the_same(both: Callable[..., list[Any]]) -> None:
    def talk(server: AppServer, stage: Stage) -> Any:
        said = []
        for params in WRITES:
            answer = ask(server, "config/value/write", params)
            layers = server.request("config/read", includeLayers=True)["layers"]
            user = next(layer for layer in layers if layer["name"]["type"] == "user")
            user["config"].pop("model_providers", None)
            answer.pop("version", None)
            said.append([params["keyPath"], answer, user["config"]])
        return said

    real, ours = both(talk)

    assert ours == real


def test_batches_are_written_as_a_whole(both: Callable[..., list[Any]]) -> None:
    def talk(server: AppServer, _stage: Stage) -> Any:
        edits = [write("model_context_window", 1000), write("model", "new")]
        answers = [
            ask(server, "config/batchWrite", {"edits": edits}),
            ask(server, "config/batchWrite", {"edits": []}),
            ask(server, "config/batchWrite", {"edits": [*edits, write("approval_policy", "x")]}),
        ]
        for answer in answers:
            answer.pop("version", None)
        return answers

    real, ours = both(talk)

    assert ours == real


def test_a_written_value_is_in_force_for_new_threads(both: Callable[..., list[Any]]) -> None:
    def talk(server: AppServer, stage: Stage) -> Any:
        models = [server.request("thread/start")["model"]]
        server.request("config/value/write", **write("model", "gpt-5.4"))
        models.append(server.request("thread/start")["model"])
        file = stage.home / "config.toml"
        file.write_text(file.read_text().replace("gpt-5.4", "gpt-5.1-codex-max"))
        models.append(server.request("thread/start")["model"])
        return models

    real, ours = both(talk)

    assert ours == real == ["gpt-5.2-codex", "gpt-5.4", "gpt-5.1-codex-max"]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("experimentalFeature/enablement/set", {"enablement": {"zzz": True}}),
        ("experimentalFeature/enablement/set", {"enablement": {"unified_exec": True}}),
        ("experimentalFeature/enablement/set", {"enablement": {"apps": False, "tool_search": True}}),
        ("experimentalFeature/list", {"cursor": "x"}),
        ("experimentalFeature/list", {"cursor": "500"}),
        ("model/list", {"cursor": "999"}),
        ("model/list", {"cursor": "-1"}),
        ("plugin/list", {}),
        ("app/list", {}),
        ("mcpServerStatus/list", {}),
        ("mcpServerStatus/list", {"cursor": "x"}),
        ("collaborationMode/list", {}),
        ("externalAgentConfig/detect", {"includeHome": False}),
        ("externalAgentConfig/import", {"migrationItems": []}),
        ("account/login/start", {"type": "zzz"}),
        ("account/login/start", {"type": "apiKey"}),
        ("account/read", {}),
        ("mock/experimentalMethod", {"value": "x"}),
    ],
)
def test_other_requests_have_the_same_answers(
    both: Callable[..., list[Any]], method: str, params: dict[str, Any]
) -> None:
    def talk(server: AppServer, _stage: Stage) -> Any:
        try:
            return server.request(method, **params)
        except RuntimeError as error:
            return str(error).replace("'data': None, ", "")

    real, ours = both(talk)

    assert ours == real


def test_models_have_the_same_order_and_members(both: Callable[..., list[Any]]) -> None:
    def talk(server: AppServer, _stage: Stage) -> Any:
        return server.request("model/list", includeHidden=True)["data"]

    real, ours = both(talk, config='model = "gpt-5.3-codex"\n')

    told_in_own_words = {"description", "supportedReasoningEfforts", "upgradeInfo"}
    for theirs, mine in zip(real, ours, strict=True):
        assert mine.keys() == theirs.keys()
        assert {key: value for key, value in mine.items() if key not in told_in_own_words} == {
            key: value for key, value in theirs.items() if key not in told_in_own_words
        }
        assert [each["reasoningEffort"] for each in mine["supportedReasoningEfforts"]] == [
            each["reasoningEffort"] for each in theirs["supportedReasoningEfforts"]
        ]


def test_hooks_are_trusted_by_a_batch_write_as_in_0169(folder: Path, server: ResponsesServer) -> None:
    need(REAL_169.path, "codex 0.169.0")
    hooks = {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]}}
    states = []
    for codex in (REAL_169, OURS):
        stage = set_up(codex, folder, server, "")
        (stage.ws / ".git").mkdir(exist_ok=True)
        (stage.ws / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
        (stage.ws / ".codex").mkdir()
        (stage.ws / ".codex" / "hooks.json").write_text(json.dumps(hooks))
        file = stage.home / "config.toml"
        file.write_text(f'{file.read_text()}\n[projects."{stage.ws}"]\ntrust_level = "trusted"\n')
        with AppServer(codex, stage) as running:
            listed = running.request("hooks/list", cwds=[str(stage.ws)])["data"][0]["hooks"]
            state = {listed[0]["key"]: {"trusted_hash": listed[0]["currentHash"]}}
            running.request("config/batchWrite", edits=[write("hooks.state", state, "upsert")], reloadUserConfig=True)
            again = running.request("hooks/list", cwds=[str(stage.ws)])["data"][0]["hooks"]
            states.append([listed[0]["trustStatus"], again[0]["trustStatus"]])

    assert states == [["untrusted", "trusted"]] * 2
