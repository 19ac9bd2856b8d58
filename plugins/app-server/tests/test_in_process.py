"""Front ends inside the program: values in, values out."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from codex_app_server import plugin
from codex_app_server.outbox import Outbox
from codex_hookspecs import RpcMethod, frozen, hookimpl
from codex_hookspecs.errors import RpcError, StorageError
from codex_hookspecs.protocol import OtherNotification, ThreadStartParams, TurnCompleted, TurnStartParams

pytestmark = pytest.mark.anyio

TEXT = [{"type": "text", "text": "go"}]


async def connected(host: Any, **arguments: Any) -> Any:
    plugins = [("app-server", plugin), *arguments.pop("plugins", [])]
    opened = await host(plugins=plugins, **arguments).opened()
    return await opened.application.app_server().connect(
        client_name="codex_exec", client_version="1", session_source="exec"
    )


async def test_requests_and_notifications_are_values(host, model) -> None:
    client = await connected(host, model=model("hello"))

    opened = await client.request("thread/start", ThreadStartParams())
    begun = await client.request("turn/start", TurnStartParams(thread_id=opened.thread.id, input=TEXT))
    async with asyncio.timeout(10):
        async for notification in client.notifications():
            if isinstance(notification, TurnCompleted):
                break

    assert opened.thread.source == "exec"
    assert notification.turn.id == begun.turn.id
    assert notification.turn.status == "completed"


async def test_wire_objects_are_taken_as_well(host) -> None:
    client = await connected(host)

    opened = await client.request("thread/start", {"modelProvider": None, "sandbox": "read-only"})

    assert opened.sandbox["type"] == "readOnly"
    with pytest.raises(RpcError, match=r"^Invalid request: missing field `params`$"):
        await client.request("thread/start")
    with pytest.raises(RpcError, match="missing field `threadId`"):
        await client.request("turn/start", {})


async def test_a_model_is_told_the_client_or_the_override_as_originator(host, model) -> None:
    agent = model("one")
    client = await connected(host, model=agent, environ={"CODEX_INTERNAL_ORIGINATOR_OVERRIDE": "codex_sdk_ts"})

    opened = await client.request("thread/start", ThreadStartParams())
    application = client._requests.host

    assert application.threads.get(opened.thread.id).settings.originator == "codex_sdk_ts"


async def test_leaving_unloads_the_threads_it_alone_followed(host) -> None:
    client = await connected(host)
    application = client._requests.host
    await client.request("thread/start", ThreadStartParams())

    await client.aclose()

    assert application.threads.loaded() == ()
    assert [each async for each in client.notifications()] == []


async def test_a_thread_waits_for_a_slow_client(host, model) -> None:
    rounds = [[{"say": f"answer {number}"}] for number in range(40)]
    client = await connected(host, model=model(*rounds))
    client._outbox = Outbox(limit=5)
    opened = await client.request("thread/start", ThreadStartParams())
    thread = client._requests.host.threads.get(opened.thread.id)
    await client.request("turn/start", TurnStartParams(thread_id=thread.id, input=TEXT))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await thread.wait_idle()
    async with asyncio.timeout(10):
        async for notification in client.notifications():
            if isinstance(notification, TurnCompleted):
                break
        await thread.wait_idle()

    assert notification.turn.status == "completed"


class Methods:
    """Methods of another plugin, some of them bad."""

    @hookimpl
    def rpc_methods(self) -> list[RpcMethod]:
        async def greet(params: Any, context: Any) -> Any:
            return {"hello": context.client_name}

        async def crash(params: Any, context: Any) -> Any:
            raise ZeroDivisionError("oops")

        async def lose(params: Any, context: Any) -> Any:
            raise StorageError("disk is full")

        return [
            RpcMethod(name="x/greet", params=None, handle=greet),
            RpcMethod(name="x/crash", params=None, handle=crash),
            RpcMethod(name="x/lose", params=None, handle=lose),
            RpcMethod(name="x/dare", params=None, handle=greet, experimental=True),
        ]


async def test_methods_of_other_plugins_are_served_and_their_failures_contained(host) -> None:
    client = await connected(host, plugins=[Methods()])

    assert await client.request("x/greet") == {"hello": "codex_exec"}
    with pytest.raises(RpcError, match="x/crash failed: ZeroDivisionError") as crashed:
        await client.request("x/crash")
    with pytest.raises(RpcError, match="disk is full") as lost:
        await client.request("x/lose")
    assert (crashed.value.code, lost.value.code) == (-32603, -32603)
    assert await client.request("x/greet") == {"hello": "codex_exec"}


@frozen
class Named:
    name: str


class Answering:
    """A plugin with methods that answer with what they are given."""

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer
        self.given: list[Any] = []

    @hookimpl
    def rpc_methods(self) -> list[RpcMethod]:
        async def handle(params: Any, context: Any) -> Any:
            self.given.append(params)
            await context.notify(OtherNotification(method="x/told", params={"value": self.answer}))
            return self.answer

        return [
            RpcMethod(name="x/named", params=lambda: Named, handle=handle),
            RpcMethod(name="x/bare", params=None, handle=handle),
        ]


HOLDS_ITSELF: list[Any] = []
HOLDS_ITSELF.append(HOLDS_ITSELF)


@pytest.mark.parametrize(
    ("params", "told"),
    [
        (None, "^Invalid request: missing field `params`$"),
        ({}, "missing field `name`"),
        ([], "^Invalid request: "),
        ("x", "^Invalid request: "),
        ({"name": "x", "more": float("nan")}, "^Invalid request: Out of range float values"),
        ({"name": "x", "more": {1}}, "^Invalid request: .*set is not JSON serializable"),
        ({"name": "x", "more": HOLDS_ITSELF}, "^Invalid request: "),
    ],
)
async def test_parameters_that_could_not_be_sent_are_refused_before_the_method_is_called(
    host, params: Any, told: str
) -> None:
    other = Answering("ok")
    client = await connected(host, plugins=[other])

    with pytest.raises(RpcError, match=told) as refused:
        await client.request("x/named", params)

    assert (refused.value.code, other.given) == (-32600, [])
    assert await client.request("x/named", {"name": "x"}) == "ok"
    assert await client.request("x/named", Named("y")) == "ok"
    assert await client.request("x/bare", {"ignored": 1}) == "ok"
    assert other.given == [Named("x"), Named("y"), None]


@pytest.mark.parametrize("answer", [{"x": float("nan")}, {1}, object(), HOLDS_ITSELF])
async def test_answers_and_notifications_that_could_not_be_sent_are_not_passed_on(host, answer: Any) -> None:
    client = await connected(host, plugins=[Answering(answer)])

    with pytest.raises(RpcError, match=r"^the answer to x/bare can't be sent: ") as refused:
        await client.request("x/bare")
    await client.aclose()

    assert refused.value.code == -32603
    assert [each async for each in client.notifications()] == []


async def test_a_failing_method_is_logged_in_one_line_and_its_traceback_for_debugging(host, caplog) -> None:
    client = await connected(host, plugins=[Methods()])

    with caplog.at_level("DEBUG", "codex.app-server"), pytest.raises(RpcError, match="x/crash failed"):
        await client.request("x/crash")

    logged = {record.levelname: record for record in caplog.records if "x/crash" in record.getMessage()}
    told = rf"^x/crash failed: ZeroDivisionError\('oops'\) \(.*{Path(__file__).name}:\d+\)$"
    assert re.search(told, logged["ERROR"].getMessage())
    assert (logged["ERROR"].exc_info, logged["DEBUG"].exc_info is not None) == (None, True)


async def test_an_experimental_method_needs_the_capability(host) -> None:
    opened = await host(plugins=[("app-server", plugin), Methods()]).opened()
    plain = await opened.application.app_server().connect(
        client_name="a", client_version="1", session_source="cli", experimental=False
    )

    with pytest.raises(RpcError, match=r"^x/dare requires experimentalApi capability$"):
        await plain.request("x/dare")


async def test_a_request_to_a_client_without_a_handler_fails(host) -> None:
    client = await connected(host)

    with pytest.raises(RpcError, match="codex_exec answers no requests"):
        await client.request_client(0, "item/fileChange/requestApproval", {})
    client.set_request_handler(answer)
    assert await client.request_client(1, "item/fileChange/requestApproval", {}) == {"decision": "accept"}


async def answer(_method: str, _params: Any) -> dict[str, Any]:
    return {"decision": "accept"}


async def test_an_outbox_keeps_order_and_bounds() -> None:
    box: Outbox[int] = Outbox(limit=2)
    await box.put(1)
    await box.put(2)
    waiting = asyncio.create_task(box.put(3))
    await asyncio.sleep(0)
    await box.respond(9)

    assert [await box.get() for _ in range(3)] == [1, 2, 9]
    await waiting
    box.close()
    assert await box.get() == 3
    assert await box.get() is None
