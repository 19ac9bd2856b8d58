"""The handshake, and what is answered to requests that can't be understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from codex_hookspecs import RpcMethod, hookimpl
from codex_hookspecs.protocol import OtherNotification

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.anyio


async def test_initialize_tells_who_answers(connect) -> None:
    client = await connect(hello=False)

    result = await client.result("initialize", {"clientInfo": {"name": "probe", "title": None, "version": "1.0"}})

    assert result["userAgent"].startswith("probe/")
    assert result["userAgent"].endswith("(probe; 1.0)")
    assert result["codexHome"].endswith("/home")
    assert result["platformFamily"] == "unix"


async def test_ids_are_echoed_in_kind(connect) -> None:
    client = await connect(hello=False)

    answer = await client.ask("initialize", {"clientInfo": {"name": "a", "version": "1"}}, number="initialize")

    assert answer["id"] == "initialize"


async def test_nothing_is_answered_before_the_handshake(connect) -> None:
    client = await connect(hello=False)

    assert await client.refusal("thread/loaded/list", {}) == (-32600, "Not initialized")


async def test_an_unknown_method_and_wrong_parameters_are_told_even_before_the_handshake(connect) -> None:
    client = await connect(hello=False)

    code, message = await client.refusal("no/such", {})

    assert code == -32600
    assert message.startswith("Invalid request: unknown variant `no/such`, expected one of `")
    assert "`thread/start`" in message
    assert "`initialize`" in message
    assert await client.refusal("turn/start", {}) == (-32600, "Invalid request: missing field `threadId`")


async def test_the_handshake_happens_once(connect) -> None:
    client = await connect()

    refusal = await client.refusal("initialize", {"clientInfo": {"name": "again", "version": "1"}})

    assert refusal == (-32600, "Already initialized")


@pytest.mark.parametrize("name", ["two\nlines", "\x7f", "nul\0"])
async def test_a_name_that_is_no_header_value_is_refused(connect, name: str) -> None:
    client = await connect(hello=False)

    refusal = await client.refusal("initialize", {"clientInfo": {"name": name, "version": "1"}})

    assert refusal == (-32600, f"Invalid clientInfo.name: '{name}'. Must be a valid HTTP header value.")


@pytest.mark.parametrize("name", ["ünïcode", "", "two words", "a\ttab"])
async def test_any_other_name_is_taken(connect, name: str) -> None:
    client = await connect(hello=False)

    result = await client.result("initialize", {"clientInfo": {"name": name, "version": "1\n"}})

    assert result["userAgent"].startswith(f"{name}/")
    assert result["userAgent"].endswith(f"({name}; 1)")
    assert await client.refusal("initialize", {"clientInfo": {"name": "again", "version": "1"}}) == (
        -32600,
        "Already initialized",
    )


@pytest.mark.parametrize(
    ("environ", "terminal"),
    [
        ({}, "unknown"),
        ({"TERM": "xterm-256color"}, "xterm-256color"),
        ({"TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.1", "TERM": "xterm"}, "iTerm.app/3.1"),
        ({"TERM_PROGRAM": "a b\tc;"}, "a_b_c_"),
        ({"KITTY_WINDOW_ID": "1", "TERM": "xterm-kitty"}, "kitty"),
        ({"VTE_VERSION": "7000", "TERM": "xterm"}, "VTE/7000"),
        ({"WT_SESSION": "x"}, "WindowsTerminal"),
    ],
)
async def test_the_user_agent_names_the_terminal(connect, environ: dict[str, str], terminal: str) -> None:
    client = await connect(hello=False, environ=environ)

    result = await client.result("initialize", {"clientInfo": {"name": "probe", "version": "1"}})

    assert result["userAgent"].endswith(f") {terminal} (probe; 1)")


async def test_the_user_agent_has_the_originator_in_place_of_the_client(connect) -> None:
    client = await connect(hello=False, environ={"CODEX_INTERNAL_ORIGINATOR_OVERRIDE": "orig"})

    result = await client.result("initialize", {"clientInfo": {"name": "probe", "version": "1"}})

    assert result["userAgent"].startswith("orig/")


async def test_faults_of_the_configuration_are_told_after_the_handshake(connect) -> None:
    client = await connect(config={"modle": "x"})

    warning = await client.next()

    assert warning["method"] == "configWarning"
    assert "did you mean model?" in warning["params"]["summary"]
    assert warning["params"]["details"] is None


async def test_warnings_about_a_directory_come_with_its_threads_and_once(connect, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    (project / ".codex").mkdir()
    (project / ".codex" / "config.toml").write_text('model = "other"\n')
    client = await connect(cwd=str(project))
    assert await client.result("thread/loaded/list", {}) == {"data": [], "nextCursor": None}
    assert client.last == []

    opened = await client.result("thread/start", {"cwd": str(project)})
    warning = (await client.until("warning"))[-1]["params"]
    turn = await client.turn(opened["thread"]["id"])

    assert warning["threadId"] == opened["thread"]["id"]
    assert warning["message"].startswith(f"{project}/.codex/config.toml does not count: {project} is not trusted")
    assert "warning" not in [message["method"] for message in turn]


async def test_a_client_can_opt_out_of_the_warnings(connect) -> None:
    client = await connect(config={"modle": "x"}, capabilities={"optOutNotificationMethods": ["configWarning", "zzz"]})

    await client.result("thread/loaded/list", {})

    assert client.last == []


async def test_left_out_parameters_are_a_missing_field(connect) -> None:
    client = await connect(hello=False)

    assert await client.refusal("initialize") == (-32600, "Invalid request: missing field `params`")
    assert await client.refusal("thread/start", None) == (-32600, "Invalid request: missing field `params`")
    assert await client.refusal("initialize", {}) == (-32600, "Invalid request: missing field `clientInfo`")
    assert await client.refusal("thread/start") == (-32600, "Invalid request: missing field `params`")


async def test_what_is_no_message_gets_no_answer_and_breaks_nothing(connect) -> None:
    client = await connect()
    for text in ("nonsense", "[]", '{"foo":1}', '{"method":"x","id":null}', '{"id":99,"result":{}}', '{"method":"?"}'):
        client.send(text)

    await client.result("thread/loaded/list", {})

    assert client.last == []


class Odd:
    """A plugin whose method answers with what is no JSON."""

    @hookimpl
    def rpc_methods(self) -> list[RpcMethod]:
        async def odd(params: Any, context: Any) -> Any:
            await context.notify(OtherNotification(method="x/odd", params={"a": {1, 2}}))
            return {"a": {1, 2}}

        return [RpcMethod(name="x/odd", params=None, handle=odd)]


async def test_an_answer_that_can_not_be_sent_is_an_error_and_breaks_nothing(connect) -> None:
    client = await connect(plugins=[Odd()])

    code, message = await client.refusal("x/odd")

    assert code == -32603
    assert message.startswith("the answer to x/odd can't be sent: ")
    assert await client.result("thread/loaded/list", {}) == {"data": [], "nextCursor": None}


async def test_experimental_members_need_the_capability(connect) -> None:
    plain = await connect()
    daring = await connect(capabilities={"experimentalApi": True})

    refusal = await plain.refusal("thread/start", {"dynamicTools": [{"name": "t"}]})

    assert refusal == (-32600, "thread/start.dynamicTools requires experimentalApi capability")
    await plain.result("thread/start", {"dynamicTools": [], "persistExtendedHistory": False})
    await daring.result("thread/start", {"persistExtendedHistory": True})


async def test_explicit_nulls_are_as_good_as_nothing(connect) -> None:
    client = await connect(capabilities={"experimentalApi": True, "optOutNotificationMethods": None})
    names = (
        "model",
        "modelProvider",
        "cwd",
        "config",
        "baseInstructions",
        "personality",
        "dynamicTools",
        "serviceName",
    )

    await client.result("thread/start", dict.fromkeys(names) | {"sandbox": "danger-full-access"})


async def test_a_client_can_opt_out_of_notifications(connect) -> None:
    client = await connect(capabilities={"optOutNotificationMethods": ["thread/started", "item/agentMessage/delta"]})

    opened = await client.result("thread/start", {})
    messages = await client.turn(opened["thread"]["id"])

    methods = [message["method"] for message in messages]
    assert "thread/started" not in methods
    assert "item/agentMessage/delta" not in methods
    assert "item/completed" in methods
