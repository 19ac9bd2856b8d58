"""Messages, ids, error codes and texts of exec-servers (§2 of the protocol)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from interop.exec_server import ABSENT, client, launch, wire

if TYPE_CHECKING:
    from interop.exec_server import Server

WALK = {"maxDepth": 1, "maxDirectories": 1, "maxEntries": 1}
HTTP = {"method": "GET", "url": "http://127.0.0.1:9/", "requestId": "r"}
READ = {"path": "file:///etc/passwd"}


def started(**more: Any) -> dict[str, Any]:
    """Give parameters of a start with members changed, or left out by ``ABSENT``."""
    return {name: value for name, value in {**launch("p", "true"), **more}.items() if value is not ABSENT}


def missing(member: str) -> str:
    return f"missing field `{member}`"


REFUSALS: dict[str, tuple[str, Any, int, str]] = {
    "no params for initialize": ("initialize", ABSENT, -32602, "invalid type: null, expected struct InitializeParams"),
    "null for initialize": ("initialize", None, -32602, "invalid type: null, expected struct InitializeParams"),
    "client without name": ("initialize", {}, -32602, missing("clientName")),
    "client name is a number": ("initialize", {"clientName": 5}, -32602, "invalid type: number, expected a string"),
    "no process id": ("process/start", started(processId=ABSENT), -32602, missing("processId")),
    "no argv": ("process/start", started(argv=ABSENT), -32602, missing("argv")),
    "no cwd": ("process/start", started(cwd=ABSENT), -32602, missing("cwd")),
    "no env": ("process/start", started(env=ABSENT), -32602, missing("env")),
    "no tty": ("process/start", started(tty=ABSENT), -32602, missing("tty")),
    "empty argv": ("process/start", started(argv=[]), -32602, "argv must not be empty"),
    "argv of numbers": ("process/start", started(argv=[1]), -32602, "invalid type: number, expected a string"),
    "argv is text": ("process/start", started(argv="true"), -32602, 'invalid type: string "true", expected a sequence'),
    "tty is null": ("process/start", started(tty=None), -32602, "invalid type: null, expected a boolean"),
    "relative directory": ("process/start", started(cwd="tmp"), -32602, "invalid URI: relative URL without a base"),
    "directory of the web": (
        "process/start",
        started(cwd="http://h/x"),
        -32602,
        "unsupported path URI scheme `http`",
    ),
    "policy without members": ("process/start", started(envPolicy={}), -32602, missing("inherit")),
    "policy with another word": (
        "process/start",
        started(
            envPolicy={"inherit": "some", "ignoreDefaultExcludes": True, "exclude": [], "set": {}, "includeOnly": []}
        ),
        -32602,
        "unknown variant `some`, expected one of `core`, `all`, `none`",
    ),
    "sandbox without permissions": ("process/start", started(sandbox={}), -32602, missing("permissions")),
    "read of nothing": ("process/read", {}, -32602, missing("processId")),
    "read after a negative number": ("process/read", {"processId": "p", "afterSeq": -1}, -32602, "invalid"),
    "read of an unknown process": ("process/read", {"processId": "p"}, -32600, "unknown process id p"),
    "write without chunk": ("process/write", {"processId": "p", "writeId": "w"}, -32602, missing("chunk")),
    "write with an empty id": (
        "process/write",
        {"processId": "p", "chunk": "", "writeId": ""},
        -32602,
        "writeId must not be empty",
    ),
    "write of what is no base64": (
        "process/write",
        {"processId": "p", "chunk": "!!!!", "writeId": "w"},
        -32602,
        "Invalid symbol 33, offset 0.",
    ),
    "write without padding": (
        "process/write",
        {"processId": "p", "chunk": "YQ", "writeId": "w"},
        -32602,
        "Invalid padding",
    ),
    "another signal": (
        "process/signal",
        {"processId": "p", "signal": "kill"},
        -32602,
        "unknown variant `kill`, expected `interrupt`",
    ),
    "terminate nothing": ("process/terminate", {}, -32602, missing("processId")),
    "file without path": ("fs/readFile", {}, -32602, missing("path")),
    "relative file": ("fs/readFile", {"path": "x"}, -32602, "invalid URI: relative URL without a base"),
    "file of the web": ("fs/readFile", {"path": "https://h/x"}, -32602, "unsupported path URI scheme `https`"),
    "file on a host": ("fs/readFile", {"path": "file://host/tmp"}, -32600, "'file://host/tmp' is invalid on 'linux'"),
    "file that is not there": (
        "fs/readFile",
        {"path": "file:///no/such"},
        -32004,
        "No such file or directory (os error 2)",
    ),
    "file without content": ("fs/writeFile", {"path": "file:///tmp/x"}, -32602, missing("dataBase64")),
    "copy without recursive": (
        "fs/copy",
        {"sourcePath": "file:///a", "destinationPath": "file:///b"},
        -32602,
        missing("recursive"),
    ),
    "walk without options": ("fs/walk", {"path": "file:///"}, -32602, missing("options")),
    "walk without an option": (
        "fs/walk",
        {"path": "file:///", "options": WALK},
        -32602,
        missing("followDirectorySymlinks"),
    ),
    "file sandbox without permissions": ("fs/readFile", {**READ, "sandbox": {}}, -32602, missing("permissions")),
    "open without handle": ("fs/open", READ, -32602, missing("handleId")),
    "another open mode": (
        "fs/open",
        {**READ, "handleId": "h", "mode": "append"},
        -32602,
        "unknown variant `append`, expected `read` or `replace`",
    ),
    "unknown handle": ("fs/readBlock", {"handleId": "h", "offset": 0, "len": 1}, -32004, "unknown file handle `h`"),
    "facts with params": ("environment/info", {"x": 1}, -32602, "invalid type: map, expected unit"),
    "request without url": ("http/request", {"method": "GET", "requestId": "r"}, -32602, missing("url")),
    "request without id": ("http/request", {"method": "GET", "url": "http://h/"}, -32602, missing("requestId")),
    "unknown method": ("no/such", {}, -32601, "exec-server stub does not implement `no/such` yet"),
    "empty method": ("", {}, -32601, "exec-server stub does not implement `` yet"),
}
FAMILIES = {
    "process/start": (launch("p", "true"), "exec"),
    "process/read": ({"processId": "p"}, "exec"),
    "process/write": ({"processId": "p", "chunk": "", "writeId": "w"}, "exec"),
    "process/signal": ({"processId": "p", "signal": "interrupt"}, "exec"),
    "process/terminate": ({"processId": "p"}, "exec"),
    "fs/readFile": (READ, "filesystem"),
    "fs/getMetadata": (READ, "filesystem"),
    "fs/open": ({**READ, "handleId": "h"}, "filesystem"),
    "http/request": (HTTP, "http"),
    "environment/info": (None, "environment info"),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_bad_requests_are_refused_in_these_words_and_the_connection_stays(served: Server, name: str) -> None:
    method, params, code, text = REFUSALS[name]
    async with wire(served.url) as one:
        if method != "initialize":
            await one.initialize()

        found = await one.fault(method, params)

        assert found[0] == code
        assert found[1].startswith(text)
        assert await one.alive()


@pytest.mark.parametrize("method", FAMILIES)
async def test_methods_want_the_handshake_first(served: Server, method: str) -> None:
    params, family = FAMILIES[method]
    async with wire(served.url) as one:
        before = await one.fault(method, params)
        await one.call("initialize", {"clientName": "interop"})
        between = await one.fault(method, params)

        assert before == (-32600, f"client must call initialize before using {family} methods")
        assert between == (-32600, f"client must send initialized before using {family} methods")


async def test_params_are_decoded_before_the_state_is_looked_at(served: Server) -> None:
    async with wire(served.url) as one:
        assert (await one.fault("process/start", started(argv=ABSENT)))[0] == -32602
        assert (await one.fault("process/start", started()))[0] == -32600
        assert (await one.fault("no/such"))[0] == -32601


async def test_answers_have_no_version_and_one_that_is_sent_is_ignored(served: Server) -> None:
    async with client(served.url) as one:
        for more in ({"jsonrpc": "2.0"}, {"jsonrpc": 7}, {"trace": {"traceparent": "x"}}, {"trace": None}):
            found = await one.answer(await one.post("environment/status", **more))

            assert set(found) == {"id", "result"}
        refused = await one.answer(await one.post("no/such", jsonrpc="2.0"))

        assert set(refused) == {"id", "error"}
        assert set(refused["error"]) == {"code", "message"}


@pytest.mark.parametrize("ident", [0, -7, 2**63 - 1, -(2**63), "", "5", "é\n", "x" * 10_000])
async def test_ids_come_back_as_they_were(served: Server, ident: int | str) -> None:
    async with client(served.url) as one:
        await one.send({"id": ident, "method": "environment/status"})

        answer = await one.answer(ident)
        assert answer["result"] == {"status": "ready"}
        assert type(answer["id"]) is type(ident)


async def test_an_id_may_be_used_again_and_twice_at_once(served: Server) -> None:
    async with client(served.url) as one:
        for _ in range(2):
            await one.send({"id": "twice", "method": "environment/status"})
        await one.call("environment/status")

        assert [message["id"] for message in one.seen].count("twice") == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "{",
        "5",
        "null",
        '"text"',
        "[]",
        "{}",
        '[{"id": 1, "method": "environment/status"}]',
        '{"id": 5}',
        '{"id": 5, "method": 7}',
        '{"id": null, "method": "environment/status"}',
        '{"id": 1.5, "method": "environment/status"}',
        '{"id": true, "method": "environment/status"}',
        '{"id": [1], "method": "environment/status"}',
        '{"id": 9223372036854775808, "method": "environment/status"}',
        '{"id": 1, "method": "environment/status"} x',
        '{"id": 1, "method": "environment/status", "params": ' + "[" * 5000 + "]" * 5000 + "}",
        '{"id": 1, "method": "environment/status", "params": NaN}',
        b"\xff\xfe",
        b"\x00",
    ],
)
async def test_what_is_no_message_is_answered_with_id_minus_one_and_the_connection_stays(
    served: Server, text: str | bytes
) -> None:
    async with client(served.url) as one:
        await one.send(text)

        found = await one.answer(-1)
        assert found["error"]["code"] == -32600
        assert await one.alive()


@pytest.mark.parametrize(
    "message",
    [
        {"method": "no/such"},
        {"method": "process/terminate", "params": {"processId": "p"}},
        {"id": 1, "result": {}},
        {"id": 1, "error": {"code": 1, "message": "x"}},
    ],
)
async def test_notifications_and_answers_of_the_client_end_the_connection(served: Server, message: Any) -> None:
    async with client(served.url) as one:
        await one.send(message)

        assert await one.lost() == 1006


async def test_initialized_before_initialize_ends_the_connection(served: Server) -> None:
    async with wire(served.url) as one:
        await one.send({"method": "initialized"})

        assert await one.lost() == 1006


@pytest.mark.parametrize("params", [ABSENT, None, {}, [1], "x"])
async def test_initialized_may_have_any_params_and_come_again(served: Server, params: Any) -> None:
    async with wire(served.url) as one:
        await one.call("initialize", {"clientName": "interop"})
        message = {"method": "initialized"}
        for _ in range(2):
            await one.send(message if params is ABSENT else {**message, "params": params})

        assert await one.call("environment/status") == {"status": "ready"}


async def test_unknown_members_are_ignored_everywhere(served: Server) -> None:
    async with wire(served.url) as one:
        await one.call("initialize", {"clientName": "interop", "more": 1})
        await one.send({"method": "initialized", "more": 1})
        await one.start("p", "true", more={"deep": [1]})
        await one.closed("p")

        assert (await one.call("process/read", {"processId": "p", "more": 1}))["closed"] is True


async def test_members_may_be_escaped_and_repeated_whitespace_is_fine(served: Server) -> None:
    async with client(served.url) as one:
        await one.send('\n { "\\u0069d" :\t1000 , "method" : "environment\\/status" } \r\n')

        assert (await one.answer(1000))["result"] == {"status": "ready"}


async def test_answers_of_quick_requests_come_in_order(served: Server) -> None:
    async with client(served.url) as one:
        idents = [await one.post("environment/status") for _ in range(200)]
        await one.result(idents[-1])

        assert [message["id"] for message in one.seen[1:]] == idents


async def test_text_outside_ascii_survives(served: Server) -> None:
    async with client(served.url) as one:
        text = "é😀\u2028 \x7f"
        raw = {"id": "raw", "method": f"no/{text}"}
        await one.send(json.dumps(raw, ensure_ascii=False))

        assert text in (await one.answer("raw"))["error"]["message"]
        assert text in (await one.fault(f"no/{text}"))[1]
