import json

import pytest

from codex_app_server import plugin as app_server
from codex_hookspecs.errors import RpcError
from codex_rpc_count import plugin


async def test_turns_and_items_of_a_thread_are_counted(host, model):
    agent = host(plugins=[plugin, app_server], model=model("one", "two"))
    await agent.turn("first")
    run = await agent.turn("second")

    async with agent.client() as client:
        found = await client.request("example/count", {"threadId": run.thread.id})

    assert found == {"turns": 2, "items": 4}


async def test_every_loaded_thread_is_told(host, model):
    agent = host(plugins=[plugin, app_server], model=model("one"))
    run = await agent.turn("first")

    async with agent.client() as client:
        assert await client.request("example/countLoaded") == {"threads": 1}
        told = await client.notification("example/counted")

    assert told == {"threadId": run.thread.id, "count": {"turns": 1, "items": 2}}


async def test_a_thread_that_is_not_there_is_an_error(host):
    async with host(plugins=[plugin, app_server]).client() as client:
        with pytest.raises(RpcError, match="no rollout found"):
            await client.request("example/count", {"threadId": "67e55044-10b1-426f-9247-bb680e5fe0c8"})


async def test_clients_without_the_capability_can_not_count_all(host):
    async with host(plugins=[plugin, app_server]).client(experimental=False) as client:
        with pytest.raises(RpcError, match="example/countLoaded requires experimentalApi capability"):
            await client.request("example/countLoaded")


async def test_bindings_describe_the_methods(host, tmp_path):
    agent = host(plugins=[plugin, app_server])

    await agent.command("app-server", "generate-ts", "--out", str(tmp_path / "ts"), "--experimental")
    await agent.command("app-server", "generate-json-schema", "--out", str(tmp_path / "json"))

    assert "turns: number" in (tmp_path / "ts/v2/Count.ts").read_text()
    assert '"example/counted"' in (tmp_path / "ts/ServerNotification.ts").read_text()
    assert json.loads((tmp_path / "json/v2/CountParams.json").read_text())["required"] == ["threadId"]
    assert not (tmp_path / "json/v2/CountLoadedResponse.json").exists()  # experimental
