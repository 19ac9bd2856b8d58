"""Starting, reading, writing and ending processes."""

from __future__ import annotations

import asyncio
from base64 import b64encode

import pytest

from codex_hookspecs.errors import RpcError
from codex_testkit.servers.exec_client import LIMIT, output_of

pytestmark = pytest.mark.anyio
FLOOD_BYTES = 24_000_000


def b64(text: bytes) -> str:
    return b64encode(text).decode()


async def error_of(client, method: str, params=None) -> tuple[int, str]:
    with pytest.raises(RpcError) as caught:
        await client.request(method, params)
    return caught.value.code, caught.value.message


async def write(client, process: str, text: bytes, write_id: str = "1") -> str:
    result = await client.request("process/write", {"processId": process, "chunk": b64(text), "writeId": write_id})
    return result["status"]


async def test_output_exit_and_close_are_told_in_order(serve) -> None:
    async with (await serve()).client() as client:
        await client.start("p", ["hello"])

        assert await client.events("p") == [
            {
                "method": "process/output",
                "params": {"processId": "p", "seq": 1, "stream": "stdout", "chunk": "aGVsbG8K"},
            },
            {"method": "process/exited", "params": {"processId": "p", "seq": 2, "exitCode": 0, "sandboxDenied": False}},
            {"method": "process/closed", "params": {"processId": "p", "seq": 3}},
        ]


async def test_what_is_retained_can_be_read(serve) -> None:
    async with (await serve()).client() as client:
        await client.start("p", ["hello"])
        await client.events("p")

        assert await client.request("process/read", {"processId": "p"}) == {
            "chunks": [{"seq": 1, "stream": "stdout", "chunk": "aGVsbG8K"}],
            "nextSeq": 4,
            "exited": True,
            "exitCode": 0,
            "closed": True,
            "failure": None,
            "sandboxDenied": False,
        }


async def test_a_failed_start_tells_why_and_frees_the_id(serve) -> None:
    async with (await serve()).client() as client:
        params = {"processId": "p", "argv": ["missing"], "cwd": "file:///space", "env": {}, "tty": False}

        assert await error_of(client, "process/start", params) == (-32603, "No such file or directory (os error 2)")
        assert await error_of(client, "process/read", {"processId": "p"}) == (-32600, "unknown process id p")
        assert (await client.start("p", ["hello"]))["processId"] == "p"


async def test_an_id_stays_taken_until_the_retention_is_over(serve) -> None:
    async with (await serve(retention=0.3)).client() as client:
        await client.start("p", ["hello"])
        with pytest.raises(RpcError, match=r"^process p already exists$"):
            await client.start("p", ["hello"])
        await client.events("p")
        with pytest.raises(RpcError, match=r"^process p already exists$"):
            await client.start("p", ["hello"])

        async with asyncio.timeout(LIMIT):
            while await write(client, "p", b"") != "unknownProcess":
                await client.request("environment/status")

        await client.start("p", ["hello"])


async def test_writes_reach_the_process_once_each(serve) -> None:
    async with (await serve()).client() as client:
        await client.start("p", ["steps"], pipeStdin=True)

        statuses = [await write(client, "p", text, text.decode()) for text in (b"a", b"b", b"a", b"c", b"end")]

        assert statuses == ["accepted"] * 5
        assert await client.output("p") == b"<a><b><c>"


async def test_writes_without_an_id_are_all_done(serve) -> None:
    async with (await serve()).client() as client:
        await client.start("p", ["steps"], pipeStdin=True)

        for text in (b"a", b"a", b"end"):
            await client.request("process/write", {"processId": "p", "chunk": b64(text)})

        assert await client.output("p") == b"<a><a>"


async def test_writes_sent_at_once_keep_their_order(serve) -> None:
    async with (await serve()).client() as client:
        await client.start("p", ["steps"], pipeStdin=True)
        texts = [f"{number}".encode() for number in range(500)]

        for number, text in enumerate([*texts, b"end"]):
            params = {"processId": "p", "chunk": b64(text), "writeId": f"w{number}"}
            await client.send("process/write", params)

        assert await client.output("p") == b"".join(b"<" + text + b">" for text in texts)


async def test_a_write_can_follow_its_start_at_once(serve) -> None:
    async with (await serve()).client() as client:
        start = {"processId": "p", "argv": ["steps"], "cwd": "/space", "env": {}, "tty": False, "pipeStdin": True}
        await client.send("process/start", start)
        number = await client.send("process/write", {"processId": "p", "chunk": b64(b"end"), "writeId": "1"})

        assert await client.answer(number) == {"status": "accepted"}
        assert await client.output("p") == b""


async def test_writes_say_when_there_is_nobody_to_read_them(serve) -> None:
    async with (await serve()).client() as client:
        await client.start("p", ["sleep"])

        assert await write(client, "p", b"x") == "stdinClosed"
        assert await write(client, "none", b"x") == "unknownProcess"
        assert await error_of(client, "process/write", {"processId": "p", "chunk": "", "writeId": ""}) == (
            -32602,
            "writeId must not be empty",
        )


async def test_a_killed_process_is_not_running_a_second_time(serve) -> None:
    async with (await serve()).client() as client:
        await client.start("p", ["sleep"])
        ends = [await client.request("process/terminate", {"processId": name}) for name in ("p", "p", "none")]

        assert ends == [{"running": True}, {"running": False}, {"running": False}]
        assert (await client.events("p"))[0]["params"]["exitCode"] == 137


async def test_an_interrupt_is_answered_whether_there_is_a_process_or_not(serve) -> None:
    async with (await serve()).client() as client:
        await client.start("p", ["sleep"])
        for name in ("p", "none", "p"):
            assert await client.request("process/signal", {"processId": name, "signal": "interrupt"}) == {}

        assert (await client.events("p"))[0]["params"]["exitCode"] == 130


async def test_a_waiting_read_does_not_hold_up_termination(serve) -> None:
    async with (await serve()).client() as client:
        await client.start("p", ["sleep"])
        read = await client.send("process/read", {"processId": "p", "waitMs": 60_000})

        assert await client.request("process/terminate", {"processId": "p"}) == {"running": True}
        assert (await client.answer(read))["exited"]


async def test_waiting_reads_up_to_the_limit_do_not_hold_up_termination(serve) -> None:
    async with (await serve(concurrent=2)).client() as client:
        await client.start("p", ["sleep"])
        reads = [await client.send("process/read", {"processId": "p", "waitMs": 60_000}) for _ in range(5)]

        assert await client.request("process/terminate", {"processId": "p"}) == {"running": True}
        assert [(await client.answer(number))["exited"] for number in reads] == [True] * 5


async def test_one_request_at_a_time_is_possible(serve) -> None:
    async with (await serve(concurrent=1)).client() as client:
        await client.start("p", ["sleep"])
        read = await client.send("process/read", {"processId": "p", "waitMs": 300})
        end = await client.send("process/terminate", {"processId": "p"})

        assert (await client.answer(read))["exited"] is False
        assert await client.answer(end) == {"running": True}


async def test_a_stalled_write_does_not_hold_up_others(serve) -> None:
    async with (await serve()).client() as client:
        await client.start("p", ["sleep"], pipeStdin=True)
        writes = [
            await client.send("process/write", {"processId": "p", "chunk": b64(b"x"), "writeId": f"{number}"})
            for number in range(200)
        ]

        assert await client.request("environment/status") == {"status": "ready"}
        await client.request("process/terminate", {"processId": "p"})

        assert len(writes) == 200


async def test_all_output_arrives_in_order_when_the_client_reads_late(serve) -> None:
    server = await serve()
    async with server.client() as client:
        await client.start("p", ["flood"])
        await asyncio.sleep(0.3)
        assert not (await server.environment.exec._live[f"{client.session_id}/p"].read()).exited

        events = await client.events("p")

        assert len(output_of(events)) == FLOOD_BYTES
        assert [event["params"]["seq"] for event in events] == list(range(1, len(events) + 1))


async def test_the_newest_mebibyte_is_retained(serve) -> None:
    async with (await serve()).client() as client:
        await client.start("p", ["flood"])
        await client.events("p")

        chunks = (await client.request("process/read", {"processId": "p"}))["chunks"]

        assert (
            1024 * 1024 - 8192 <= sum(len(chunk["chunk"]) // 4 * 3 for chunk in chunks) <= 1024 * 1024 + 3 * len(chunks)
        )


async def test_one_process_can_be_paused_while_others_go_on(serve) -> None:
    async with (await serve()).client() as client:
        await client.request("process/setFlow", {"processId": "none", "flowing": False})
        await client.start("p", ["steps"], pipeStdin=True)
        await client.request("process/setFlow", {"processId": "p", "flowing": False})
        await write(client, "p", b"a")
        await client.start("q", ["hello"])
        await client.events("q")
        assert client.told == []

        await client.request("process/setFlow", {"processId": "p", "flowing": True})
        await write(client, "p", b"end", "2")

        assert await client.output("p") == b"<a>"


async def test_a_terminal_can_be_resized(serve) -> None:
    server = await serve()
    async with server.client() as client:
        await client.start("p", ["sleep"], tty=True, rows=10, columns=20)
        process = server.environment.exec._live[f"{client.session_id}/p"]
        before = process.window

        await client.request("process/resize", {"processId": "p", "rows": 30, "columns": 40})

        assert (before, process.window) == ((10, 20), (30, 40))


async def test_the_environment_is_exactly_the_one_given(serve) -> None:
    server = await serve(environ={"SECRET": "s"})
    async with server.client() as client:
        await client.start("p", ["hello"], env={"A": "1"})

        assert server.environment.exec.started[-1].env == {"A": "1"}


async def test_with_a_policy_it_is_made_of_the_servers(serve) -> None:
    server = await serve(environ={"PATH": "/bin", "API_KEY": "k", "AA": "1", "AB": "2", "Z": "3"})
    policy = {"inherit": "all", "ignoreDefaultExcludes": False, "exclude": ["ab"], "set": {"S": "4", "PATH": "/set"}}
    async with server.client() as client:
        await client.start("p", ["hello"], env={"Z": "9"}, envPolicy={**policy, "includeOnly": ["a*", "s", "path"]})

        assert server.environment.exec.started[-1].env == {"PATH": "/set", "AA": "1", "S": "4", "Z": "9"}


MANAGED = {
    "type": "managed",
    "file_system": {
        "type": "restricted",
        "entries": [
            {"path": {"type": "special", "value": {"kind": "root"}}, "access": "read"},
            {"path": {"type": "special", "value": {"kind": "project_roots"}}, "access": "write"},
        ],
    },
    "network": "restricted",
}


async def test_a_sandbox_that_no_launcher_enforces_is_refused(serve) -> None:
    async with (await serve()).client() as client:
        sandbox = {"permissions": MANAGED, "cwd": "file:///space", "workspaceRoots": ["file:///space"]}

        with pytest.raises(RpcError, match="nobody holds workspace-write") as caught:
            await client.start("p", ["hello"], sandbox=sandbox)

        assert caught.value.code == -32603


async def test_a_sandbox_is_enforced_by_the_launcher(serve, launcher) -> None:
    async with (await serve(launcher=launcher)).client() as client:
        sandbox = {"permissions": MANAGED, "cwd": "file:///space", "workspaceRoots": ["file:///space"]}

        found = await client.start("p", ["true"], sandbox=sandbox)

        assert found == {"processId": "p", "sandboxType": "linuxSeccomp"}
        assert await client.output("p") == b"hello\n"


async def test_a_restricted_network_alone_needs_a_launcher(serve) -> None:
    async with (await serve()).client() as client:
        for permissions in (
            {"type": "external", "network": "restricted"},
            {"type": "managed", "file_system": {"type": "unrestricted"}, "network": "restricted"},
        ):
            with pytest.raises(RpcError, match="nobody holds external-sandbox"):
                await client.start("p", ["hello"], sandbox={"permissions": permissions, "cwd": "file:///space"})


async def test_a_sandbox_without_restrictions_needs_no_launcher(serve) -> None:
    root = {"path": {"type": "special", "value": {"kind": "root"}}, "access": "write"}
    async with (await serve()).client() as client:
        for number, permissions in enumerate(
            (
                {"type": "disabled"},
                {"type": "external", "network": "enabled"},
                {"type": "managed", "file_system": {"type": "unrestricted"}, "network": "enabled"},
                {
                    "type": "managed",
                    "file_system": {"type": "restricted", "entries": [root]},
                    "network": "enabled",
                },
            )
        ):
            found = await client.start(f"p{number}", ["hello"], sandbox={"permissions": permissions})
            assert found["sandboxType"] == "none"


async def test_a_managed_network_that_no_launcher_enforces_is_refused(serve) -> None:
    async with (await serve()).client() as client:
        for details, problem in (
            ({}, "managedNetwork does not say what it is"),
            ({"managedNetwork": None}, "managedNetwork does not say what it is"),
            ({"managedNetwork": {"loopbackPorts": [1]}, "networkProxy": {}}, "this server has no proxy"),
            ({"managedNetwork": {"loopbackPorts": [1]}}, "nobody holds danger-full-access"),
        ):
            with pytest.raises(RpcError, match=problem) as caught:
                await client.start("p", ["hello"], enforceManagedNetwork=True, **details)
            assert caught.value.code == -32603
        with pytest.raises(RpcError, match="invalid type") as caught:
            await client.start("p", ["hello"], managedNetwork={"loopbackPorts": ["x"]})
        assert caught.value.code == -32602


async def test_a_managed_network_is_enforced_by_the_launcher_for_the_named_proxies(serve, launcher) -> None:
    server = await serve(launcher=launcher)
    async with server.client() as client:
        await client.start(
            "p",
            ["true"],
            env={"HTTP_PROXY": "http://127.0.0.1:3128", "HTTPS_PROXY": "http://127.0.0.1:8080"},
            enforceManagedNetwork=True,
            managedNetwork={"loopbackPorts": [3128], "allowLocalBinding": False},
        )

        assert server.environment.exec.started[-1].env == {"HTTP_PROXY": "http://127.0.0.1:3128"}


async def test_the_sandbox_helper_of_a_client_is_replaced_by_the_servers_launcher(serve, launcher) -> None:
    server = await serve(launcher=launcher)
    helper = ["/client/codex-linux-sandbox", "--sandbox-policy", '{"type":"read-only"}', "--", "hello", "x"]
    async with server.client() as client:
        found = await client.start("p", helper, arg0="/client/codex-linux-sandbox")

        assert found["sandboxType"] == "linuxSeccomp"
        assert await client.output("p") == b"hello\n"
        assert server.environment.exec.started[-1].arg0 is None
        for words, problem in (
            (["--", "hello"], "missing sandbox policy configuration"),
            (["--sandbox-policy", "{", "--", "hello"], "--sandbox-policy is not valid JSON"),
            ([*helper[1:3], "--apply-seccomp-then-exec", "hello"], "which only a sandbox can ask for"),
        ):
            with pytest.raises(RpcError, match=problem):
                await client.start("q", [helper[0], *words])


async def test_without_a_launcher_the_helper_of_a_client_s_sandbox_is_refused(serve) -> None:
    async with (await serve()).client() as client:
        with pytest.raises(RpcError, match="nobody holds read-only"):
            await client.start("p", ["codex-linux-sandbox", "--sandbox-policy", '{"type":"read-only"}', "--", "hello"])


async def test_two_hundred_processes_run_at_once(serve) -> None:
    async with (await serve()).client() as client:
        for number in range(200):
            await client.start(f"p{number}", ["steps"], pipeStdin=True)
        for number in range(200):
            await client.send("process/write", {"processId": f"p{number}", "chunk": b64(b"end"), "writeId": "1"})

        found = [(await client.events(f"p{number}"))[0]["params"]["exitCode"] for number in range(200)]

        assert found == [3] * 200
