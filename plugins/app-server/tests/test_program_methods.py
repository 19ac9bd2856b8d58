"""What the program tells of itself."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from codex_app_server.program.unavailable import PLUGINS, SUBJECTS
from codex_hookspecs import hookimpl
from codex_hookspecs.models import ModelInfo

pytestmark = pytest.mark.anyio


async def defaults_of(client: Any) -> list[str]:
    listed = await client.result("model/list", {"includeHidden": True, "cursor": None, "limit": None})
    return [model["id"] for model in listed["data"] if model["isDefault"]]


async def test_the_default_model_is_the_one_that_threads_get(connect) -> None:
    client = await connect()
    built_in = (await client.result("thread/start", {}))["model"]

    assert await defaults_of(client) == [built_in]
    for model in ("gpt-5.1", "mine"):
        await client.result("config/value/write", {"keyPath": "model", "value": model, "mergeStrategy": "replace"})
        assert await defaults_of(client) == [model]
        assert (await client.result("thread/start", {}))["model"] == model


class Bare:
    """A provider of a plugin that has no catalogue."""

    name = "bare"
    default_model = "bare-1"

    def info(self, model: str) -> ModelInfo:
        return ModelInfo()

    def stream(self, request: Any) -> Any:
        raise AssertionError("no turn runs here")

    async def aclose(self) -> None:
        pass


class BarePlugin:
    @hookimpl
    def model_provider(self, name: str) -> Any:
        return Bare() if name == "bare" else None


async def test_a_provider_without_a_catalogue_has_its_default_model(connect) -> None:
    client = await connect(plugins=[BarePlugin()], config={"model_provider": "bare"})

    listed = await client.result("model/list", {})

    assert [(model["id"], model["isDefault"], model["hidden"]) for model in listed["data"]] == [("bare-1", True, False)]


async def test_models_come_in_pages(connect) -> None:
    client = await connect(plugins=[CataloguePlugin()], config={"model_provider": "many"})

    first = await client.result("model/list", {"limit": 1})
    second = await client.result("model/list", {"limit": 1, "cursor": first["nextCursor"]})
    everything = await client.result("model/list", {"includeHidden": True})
    least = await client.result("model/list", {"limit": 0})

    assert first["nextCursor"] == "1"
    assert first["data"] != second["data"]
    assert len(least["data"]) == 1
    assert len(everything["data"]) > len((await client.result("model/list", {}))["data"])
    assert await client.refusal("model/list", {"cursor": "x"}) == (-32600, "invalid cursor: x")
    assert await client.refusal("model/list", {"cursor": "9" * 5000}) == (-32600, f"invalid cursor: {'9' * 5000}")
    code, message = await client.refusal("model/list", {"cursor": "999"})
    assert (code, message.startswith("cursor 999 exceeds total models ")) == (-32600, True)


class Many(Bare):
    def models(self) -> Any:
        from codex_responses.catalogue import listed_models

        return listed_models()


class CataloguePlugin:
    @hookimpl
    def model_provider(self, name: str) -> Any:
        return Many() if name == "many" else None


async def test_no_account_is_needed_for_a_provider_of_ones_own(connect) -> None:
    client = await connect()

    assert await client.result("account/read", {"refreshToken": False}) == {
        "account": None,
        "requiresOpenaiAuth": False,
    }


async def test_an_api_key_is_an_account(connect) -> None:
    client = await connect(config={"model_provider": "openai"}, environ={"OPENAI_API_KEY": "sk-1"})

    assert await client.result("account/read", {}) == {"account": {"type": "apiKey"}, "requiresOpenaiAuth": True}
    assert await client.result("getAuthStatus", {}) == {
        "authMethod": "apikey",
        "authToken": None,
        "requiresOpenaiAuth": True,
    }
    assert (await client.result("getAuthStatus", {"includeToken": True}))["authToken"] == "sk-1"


async def test_a_client_logs_in_and_out_with_an_api_key(connect) -> None:
    client = await connect(config={"model_provider": "openai"})
    other = await connect()
    hello = await client.result("config/read", {"includeLayers": True})
    file = Path(hello["layers"][1]["name"]["file"]).parent / "auth.json"

    answer = await client.result("account/login/start", {"type": "apiKey", "apiKey": " sk-2 "})
    told = await client.until("account/updated")
    stored, mode = json.loads(file.read_text()), stat.S_IMODE(file.stat().st_mode)
    status = await client.result("getAuthStatus", {"includeToken": True})
    await client.result("account/logout")
    gone = await client.until("account/updated")

    assert answer == {"type": "apiKey"}
    assert [message["method"] for message in told] == ["account/login/completed", "account/updated"]
    assert told[0]["params"] == {"loginId": None, "success": True, "error": None}
    assert told[1]["params"] == {"authMode": "apikey", "planType": None}
    assert (stored, mode) == ({"auth_mode": "apikey", "OPENAI_API_KEY": "sk-2"}, 0o600)
    assert status["authToken"] == "sk-2"
    assert gone[0]["params"] == {"authMode": None, "planType": None}
    assert not file.exists()
    assert (await other.until("account/updated"))[-1]["params"]["authMode"] == "apikey"
    assert (await client.result("account/read", {}))["account"] is None


async def test_other_logins_are_refused(connect) -> None:
    client = await connect()

    assert await client.refusal("account/login/start", {"type": "chatgpt"}) == (
        -32600,
        "account/login/start is not available: login with ChatGPT is not part of this version",
    )
    assert (await client.refusal("account/login/start", {"type": "apiKey", "apiKey": " "}))[0] == -32600
    assert await client.refusal("account/login/cancel", {"loginId": "x"}) == (-32600, "invalid login id: x")
    assert await client.result("account/login/cancel", {"loginId": "11111111-1111-4111-8111-111111111111"}) == {
        "status": "notFound"
    }
    assert await client.refusal("account/rateLimits/read") == (
        -32600,
        "codex account authentication required to read rate limits",
    )


@pytest.mark.parametrize(
    ("forced", "params", "message"),
    [
        ("chatgpt", {"type": "apiKey", "apiKey": "sk"}, "API key login is disabled. Use ChatGPT login instead."),
        ("api", {"type": "chatgpt"}, "ChatGPT login is disabled. Use API key login instead."),
    ],
)
async def test_a_way_to_log_in_can_be_forced(connect, forced: str, params: dict[str, Any], message: str) -> None:
    client = await connect(config={"forced_login_method": forced})

    assert await client.refusal("account/login/start", params) == (-32600, message)


async def test_features_are_listed_with_their_stage(connect) -> None:
    client = await connect()

    listed = await client.result("experimentalFeature/list", {})

    stages = {feature["stage"] for feature in listed["data"]}
    assert stages <= {"beta", "underDevelopment", "stable", "deprecated", "removed"}
    assert {"name", "enabled", "defaultEnabled"} <= listed["data"][0].keys()


async def test_features_are_switched_for_the_life_of_the_program(connect) -> None:
    client = await connect(config={"features.apps": True})

    async def enabled() -> dict[str, bool]:
        listed = await client.result("experimentalFeature/list", {})
        return {feature["name"]: feature["enabled"] for feature in listed["data"]}

    wanted = {"apps": False, "tool_search": True}
    assert await client.result("experimentalFeature/enablement/set", {"enablement": wanted}) == {"enablement": wanted}
    now = await enabled()
    assert (now["apps"], now["tool_search"]) == (True, True)
    assert await client.refusal("experimentalFeature/enablement/set", {"enablement": {"zzz": True}}) == (
        -32600,
        "invalid feature enablement `zzz`",
    )
    code, message = await client.refusal("experimentalFeature/enablement/set", {"enablement": {"undo": True}})
    assert (code, message.startswith("unsupported feature enablement `undo`: ")) == (-32600, True)


async def test_what_is_not_there_is_listed_as_empty(connect) -> None:
    client = await connect(capabilities={"experimentalApi": True})
    empty = {"data": [], "nextCursor": None}

    assert await client.result("skills/list", {"cwds": ["/a"]}) == {"data": [{"cwd": "/a", "skills": [], "errors": []}]}
    assert await client.result("plugin/list", {}) == {
        "marketplaces": [],
        "marketplaceLoadErrors": [],
        "remoteSyncError": None,
        "featuredPluginIds": [],
    }
    assert await client.result("plugin/installed", {}) == {"marketplaces": [], "marketplaceLoadErrors": []}
    assert await client.result("app/list", {}) == empty
    assert await client.result("mcpServerStatus/list", {}) == empty
    assert await client.result("config/mcpServer/reload") == {}
    assert await client.result("externalAgentConfig/detect", {"includeHome": True}) == {"items": []}
    assert await client.result("externalAgentConfig/import", {"migrationItems": []}) == {}
    assert await client.result("account/bedrock/checkGovCloudRequirements", {}) == {
        "isGovCloud": False,
        "shouldWarn": False,
    }
    modes = await client.result("collaborationMode/list", {})
    assert [mode["name"] for mode in modes["data"]] == ["Plan", "Default"]


async def test_experimental_methods_need_the_capability(connect) -> None:
    plain = await connect()
    daring = await connect(capabilities={"experimentalApi": True})
    message = "mock/experimentalMethod requires experimentalApi capability"

    assert await plain.refusal("mock/experimentalMethod", {}) == (-32600, message)
    assert (await plain.refusal("mock/experimentalMethod", {"value": 5}))[1].startswith("Invalid request: ")
    assert await daring.result("mock/experimentalMethod", {"value": "v"}) == {"echoed": "v"}


@pytest.mark.parametrize("method", [*SUBJECTS, *PLUGINS])
async def test_what_is_not_available_says_so_after_its_parameters_are_checked(connect, method: str) -> None:
    plain = await connect()
    daring = await connect(capabilities={"experimentalApi": True})
    params = {
        "threadId": "t", "prompt": "p", "audio": {"data": "", "sampleRate": 1, "numChannels": 1}, "text": "t",
        "enabled": True, "marketplacePath": "/m", "pluginName": "n", "pluginId": "a@b", "name": "n", "mode": "elevated",
        "classification": "bug", "includeLogs": False, "query": "q", "roots": [], "sessionId": "s", "cwd": "/",
        "command": "true",
    }  # fmt: skip

    code, message = await daring.refusal(method, params)
    experimental = (await plain.refusal(method, params))[1]
    invalid = (await plain.refusal(method, {"threadId": 5, "enabled": 5, "marketplacePath": 5, "pluginId": 5}))[1]

    assert code == -32600
    assert message.startswith(f"{method} is not available: ")
    assert experimental in (message, f"{method} requires experimentalApi capability")
    assert invalid.startswith("Invalid request: ")
