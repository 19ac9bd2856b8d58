import pytest

from codex_app_server import plugin as app_server
from codex_hookspecs.errors import RpcError
from codex_rpc_count import plugin


async def test_turns_and_items_of_a_thread_are_counted(host, model):
    agent = host(plugins=[plugin, app_server], model=model("one", "two"))
    await agent.turn("first")
    run = await agent.turn("second")

    client = await agent.connect()
    found = await client.request("example/count", {"threadId": run.thread.id})

    assert found == plugin.Count(turns=2, items=4)


async def test_a_thread_that_is_not_there_is_an_error(host):
    client = await host(plugins=[plugin, app_server]).connect()

    with pytest.raises(RpcError, match="no rollout found"):
        await client.request("example/count", {"threadId": "67e55044-10b1-426f-9247-bb680e5fe0c8"})
