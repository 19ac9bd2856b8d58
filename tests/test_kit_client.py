"""The test kit's client of the app-server tells authors where a method does not keep to its types."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from codex_app_server import plugin as app_server
from codex_hookspecs import frozen, hookimpl
from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import Notification, OtherNotification
from codex_hookspecs.surface import RpcContext, RpcMethod, RpcServerRequest

pytestmark = pytest.mark.anyio


@frozen
class Text:
    text: str


@frozen
class Shown(Notification):
    METHOD: ClassVar[str] = "x/shown"
    text: str


@frozen
class Undeclared(Notification):
    METHOD: ClassVar[str] = "x/undeclared"


class Methods:
    """A plugin whose methods answer and send what the tests say."""

    def __init__(self, *, answer: Any = None, sent: Any = None, asks: bool = False) -> None:
        self._answer = answer
        self._sent = sent
        self._asks = asks

    async def _handle(self, params: Text, context: RpcContext) -> Any:
        if self._asks:
            return await context.request("x/ask", params)
        if self._sent is not None:
            await context.notify(self._sent)
        return self._answer or Text(params.text.upper())

    @hookimpl
    def rpc_methods(self) -> Sequence[RpcMethod]:
        asked = RpcServerRequest(name="x/ask", params=Text, result=Text)
        return [
            RpcMethod(
                name="x/say", params=Text, result=Text, notifications=(Shown,), requests=(asked,), handle=self._handle
            )
        ]


async def test_a_result_is_json_and_is_what_the_method_declares(host: Any) -> None:
    async with host(plugins=[app_server, Methods()]).client() as client:
        assert await client.request("x/say", Text("hi")) == {"text": "HI"}
        assert await client.request("x/say", {"text": "hi"}) == {"text": "HI"}
        with pytest.raises(RpcError, match="missing field `text`"):
            await client.request("x/say", {})


async def test_a_result_of_another_shape_fails_the_test(host: Any) -> None:
    async with host(plugins=[app_server, Methods(answer={"text": 5})]).client() as client:
        with pytest.raises(AssertionError, match=r"result of x/say .* \$\.text: invalid type: integer `5`"):
            await client.request("x/say", Text("hi"))


async def test_notifications_are_waited_for_and_others_are_kept(host: Any) -> None:
    async with host(plugins=[app_server, Methods(sent=Shown("look"))]).client() as client:
        await client.request("x/say", Text("hi"))
        thread = (await client.request("thread/start", {}))["thread"]

        assert (await client.notification("thread/started"))["thread"]["id"] == thread["id"]
        assert await client.notification("x/shown") == {"text": "look"}


async def test_a_notification_of_another_shape_fails_the_test(host: Any) -> None:
    sent = OtherNotification(method="x/shown", params={"words": []})
    with pytest.raises(AssertionError, match=r"notification x/shown is not what is declared: .*missing field `text`"):
        async with host(plugins=[app_server, Methods(sent=sent)]).client() as client:
            await client.request("x/say", Text("hi"))


async def test_what_no_method_declares_can_not_be_waited_for_or_answered(host: Any) -> None:
    async with host(plugins=[app_server, Methods()]).client() as client:
        with pytest.raises(LookupError, match="no method declares the notification x/other"):
            await client.notification("x/other")
        with pytest.raises(LookupError, match="no method declares the request x/other"):
            client.answer("x/other", lambda params: params)


@pytest.mark.parametrize("sent", [Undeclared(), OtherNotification(method="x/undeclared", params={})])
async def test_a_notification_that_no_method_declares_fails_the_test_unawaited(host: Any, sent: Notification) -> None:
    with pytest.raises(AssertionError, match="no method declares the notification x/undeclared"):
        async with host(plugins=[app_server, Methods(sent=sent)]).client() as client:
            await client.request("x/say", Text("hi"))


async def test_what_is_no_notification_is_not_sent(host: Any) -> None:
    async with host(plugins=[app_server, Methods(sent={"method": "x/shown"})]).client() as client:
        with pytest.raises(RpcError, match="a notification is dict, allowed is a subclass of Notification"):
            await client.request("x/say", Text("hi"))


async def test_a_method_asks_its_client(host: Any) -> None:
    async with host(plugins=[app_server, Methods(asks=True)]).client() as client:
        client.answer("x/ask", lambda params: {"text": f"{params['text']}?"})

        assert await client.request("x/say", Text("hi")) == {"text": "hi?"}


async def test_a_client_that_refuses_or_stays_silent_is_an_error_of_the_method(host: Any) -> None:
    agent = host(plugins=[app_server, Methods(asks=True)], config={"plugins.app-server.unattended_seconds": 0.2})
    async with agent.client() as client:
        with pytest.raises(RpcError, match="this client answers no x/ask"):
            await client.request("x/say", Text("hi"))
    silent = await agent.connect()

    async def never(_method: str, _params: Any) -> Any:
        await asyncio.Event().wait()

    silent.set_request_handler(never)
    with pytest.raises(RpcError, match=r"the client did not answer x/ask in 0\.2 seconds"):
        await silent.request("x/say", {"text": "hi"})


async def test_a_client_answers_approvals(host: Any, model: Any) -> None:
    class Asking:
        @hookimpl
        def tools(self, thread: Any) -> list[Any]:
            from codex_hookspecs import Tool

            async def ask() -> str:
                """Ask."""
                params = {"threadId": thread.id, "turnId": thread.active_turn_id, "itemId": "i", "command": "ls"}
                answer = await thread.clients.request_handler("item/commandExecution/requestApproval", params)
                return str(answer["decision"])

            return [Tool.from_function(ask)]

    agent = model([{"call": "ask", "args": {}, "call_id": "c"}], "end")
    async with host(plugins=[app_server, Asking()], model=agent).client() as client:
        client.answer("item/commandExecution/requestApproval", lambda params: {"decision": "decline"})
        thread = (await client.request("thread/start", {}))["thread"]
        await client.request("turn/start", {"threadId": thread["id"], "input": [{"type": "text", "text": "go"}]})
        await client.notification("turn/completed")

    assert "decline" in agent.output("c")
