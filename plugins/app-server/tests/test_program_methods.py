"""What the program tells of itself."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.anyio

EMPTY = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


async def test_configuration_comes_with_where_it_came_from(connect) -> None:
    client = await connect(config={"model": "mine", "features.x": True})

    read = await client.result("config/read", {"includeLayers": True})
    brief = await client.result("config/read", {})

    assert read["config"]["model"] == "mine"
    assert read["origins"]["model"]["name"] == {"type": "sessionFlags"}
    assert read["origins"]["model"]["version"].startswith("sha256:")
    assert EMPTY in {layer["version"] for layer in read["layers"]}
    assert "layers" not in brief


async def test_exactly_one_model_is_the_default(connect) -> None:
    client = await connect(config={"model": "mine"})

    listed = await client.result("model/list", {"includeHidden": True, "cursor": None, "limit": None})

    assert [model["id"] for model in listed["data"] if model["isDefault"]] == ["mine"]
    assert await client.refusal("model/list", {"cursor": "x"}) == (-32600, "invalid cursor: x")


async def test_no_account_is_needed_for_a_provider_of_ones_own(connect) -> None:
    client = await connect()

    assert await client.result("account/read", {"refreshToken": False}) == {
        "account": None,
        "requiresOpenaiAuth": False,
    }


async def test_an_api_key_is_an_account(connect) -> None:
    client = await connect(config={"model_provider": "openai"}, environ={"OPENAI_API_KEY": "sk-1"})

    assert await client.result("account/read", {}) == {"account": {"type": "apiKey"}, "requiresOpenaiAuth": True}


async def test_features_are_listed_with_their_stage(connect) -> None:
    client = await connect()

    listed = await client.result("experimentalFeature/list", {})

    stages = {feature["stage"] for feature in listed["data"]}
    assert stages <= {"beta", "underDevelopment", "stable", "deprecated", "removed"}
    assert {"name", "enabled", "defaultEnabled"} <= listed["data"][0].keys()
