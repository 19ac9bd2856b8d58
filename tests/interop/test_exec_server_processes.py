"""How exec-servers start processes, feed and end them (§4 of the protocol)."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import anyio
import pytest

from interop.exec_server import PATH, Server, appears, b64, client, ended, launch, output, unb64, uri, wire

if TYPE_CHECKING:
    from pathlib import Path

    from interop.clients import Codex
    from interop.exec_server import Wire

NO_FILE = "No such file or directory (os error 2)"
OURS_ONLY = pytest.mark.parametrize("serving", ["ours"], indirect=True)


def policy(**members: Any) -> dict[str, Any]:
    return {"inherit": "all", "ignoreDefaultExcludes": True, "exclude": [], "set": {}, "includeOnly": [], **members}


def variables(printed: bytes) -> dict[str, str]:
    pairs = (line.partition("=") for line in printed.decode().splitlines())
    return {name: value for name, _, value in pairs if name not in ("PWD", "SHLVL", "_")}


def write(process: str, text: str | bytes, ident: str) -> dict[str, Any]:
    return {"processId": process, "chunk": b64(text), "writeId": ident}


async def test_a_start_answers_with_the_id_and_what_holds_the_sandbox(served: Server) -> None:
    async with client(served.url) as one:
        assert await one.start("p", "true") == {"processId": "p", "sandboxType": "none"}


@pytest.mark.parametrize("process", ["", "p q", "é😀", "1000", "x" * 1000])
async def test_any_text_is_a_process_id(served: Server, process: str) -> None:
    async with client(served.url) as one:
        assert await one.run(process, "echo", "hi") == (0, b"hi\n")


async def test_a_program_is_searched_in_the_path_of_its_own_environment(served: Server, folder: Path) -> None:
    tool = folder / "some-tool"
    tool.write_text("#!/bin/sh\necho found\n")
    tool.chmod(0o755)
    async with client(served.url) as one:
        assert await one.run("p", "some-tool", env={"PATH": f"/nowhere:{folder}"}) == (0, b"found\n")
        assert await one.run("q", "echo", "hi", env={}) == (0, b"hi\n")
        assert await one.run("r", "./some-tool", cwd=uri(folder)) == (0, b"found\n")
        assert await one.fault("process/start", launch("s", "some-tool")) == (-32603, NO_FILE)


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"argv": ["/no/such/program"]}, NO_FILE),
        ({"argv": ["no-such-program-anywhere"]}, NO_FILE),
        ({"argv": [""]}, ""),
        ({"argv": ["/etc/passwd"]}, "Permission denied (os error 13)"),
        ({"argv": ["/etc"]}, "Permission denied (os error 13)"),
        ({"cwd": "file:///no/such"}, NO_FILE),
        ({"cwd": "file:///etc/passwd"}, "Not a directory (os error 20)"),
        ({"argv": ["/no/such/program"], "tty": True}, ""),
    ],
)
async def test_a_failed_start_tells_the_reason_of_the_system_frees_the_id_and_tells_nothing_else(
    served: Server, more: dict[str, Any], text: str
) -> None:
    async with client(served.url) as one:
        code, found = await one.fault("process/start", {**launch("p", "true"), **more})

        assert code == -32603
        assert text in found
        assert await one.run("p", "echo", "hi") == (0, b"hi\n")
        assert sorted(message["method"] for message in one.of("p")) == [
            "process/closed",
            "process/exited",
            "process/output",
        ]


async def test_arguments_arrive_as_they_are(served: Server) -> None:
    words = ["", " ", "a b", "'\"$x`", "é😀", "new\nline", "x" * 100_000]
    async with client(served.url) as one:
        found = await one.run("p", "printf", "%s\\0", *words)

        assert found[1].decode().split("\0")[:-1] == words


@pytest.mark.parametrize("arg0", [None, "other name", ""])
async def test_arg0_is_the_name_a_child_sees(served: Server, arg0: str | None) -> None:
    async with client(served.url) as one:
        _, found = await one.run("p", "cat", "/proc/self/cmdline", arg0=arg0)

        assert found.split(b"\0")[0].decode() == ("cat" if arg0 is None else arg0)


async def test_the_directory_of_a_process_may_hold_any_sign(served: Server, folder: Path) -> None:
    place = folder / "a b%é#?"
    place.mkdir()
    async with client(served.url) as one:
        assert await one.run("p", "/bin/pwd", cwd=uri(place)) == (0, f"{place}\n".encode())
        assert await one.run("q", "/bin/pwd", cwd=f"{uri(place)}/../x/..") == (0, f"{folder}\n".encode())


async def test_env_is_the_exact_environment(served: Server) -> None:
    async with client(served.url) as one:
        _, found = await one.run("p", "/usr/bin/env", env={"A": "1", "B": "two\tü", "EMPTY": ""})

        assert variables(found) == {"A": "1", "B": "two\tü", "EMPTY": ""}
        assert await one.run("q", "/usr/bin/env", env={}) == (0, b"")


async def test_a_policy_lays_env_over_the_servers_environment(served: Server) -> None:
    async with client(served.url) as one:
        _, found = await one.run("p", "/usr/bin/env", env={"A": "1", "HOME": "/x"}, envPolicy=policy())
        every = variables(found)
        assert (every["A"], every["HOME"]) == ("1", "/x")
        assert set(every) > {"PATH", "CODEX_HOME", "SHELL"}
        _, found = await one.run("q", "/usr/bin/env", env={"A": "1"}, envPolicy=policy(inherit="none"))
        assert variables(found) == {"A": "1"}
        _, found = await one.run("r", "/usr/bin/env", env={"A": "1"}, envPolicy=policy(inherit="core"))
        core = variables(found)
        assert {"A", "PATH", "HOME", "SHELL"} <= set(core)
        assert "CODEX_HOME" not in core


async def test_a_policy_excludes_sets_and_includes_in_this_order(serving: Codex, folder: Path) -> None:
    secrets = {"MY_KEY": "k", "my_token": "t", "A_SECRET": "s", "PLAIN": "p", "PLAIN_2": "q"}
    server = Server(serving, folder / "home", **secrets)
    try:
        async with client(server.url) as one:

            async def names(process: str, **members: Any) -> set[str]:
                _, found = await one.run(process, "/usr/bin/env", env={"OVER": "1"}, envPolicy=policy(**members))
                return set(variables(found)) & {*secrets, "SET", "OVER"}

            every = {*secrets, "OVER"}
            assert await names("all") == every
            assert await names("default", ignoreDefaultExcludes=False) == {"PLAIN", "PLAIN_2", "OVER"}
            assert await names("glob", exclude=["plain*", "*_KEY"]) == {"my_token", "A_SECRET", "OVER"}
            assert await names("one", exclude=["PLAIN_?"]) == every - {"PLAIN_2"}
            assert await names("set", exclude=["SET", "PLAIN"], set={"SET": "1"}) == {*every, "SET"} - {"PLAIN"}
            assert await names("include", includeOnly=["plain", "S*"], set={"SET": "1"}) == {"PLAIN", "SET", "OVER"}
    finally:
        server.close()


async def test_a_child_leads_its_own_group_and_session(served: Server) -> None:
    async with client(served.url) as one:
        for process, tty in (("p", False), ("q", True)):
            _, found = await one.run(process, "sh", "-c", "cat /proc/$$/stat", tty=tty)

            pid, rest = int(found.split()[0]), found.rpartition(b")")[2].split()
            assert [int(rest[2]), int(rest[3])] == [pid, pid]


async def test_a_child_has_no_other_files_open_than_its_three(served: Server) -> None:
    async with client(served.url) as one:
        script = (
            "for n in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 20 30 50; do test -e /proc/$$/fd/$n && echo $n; done; :"
        )

        assert await one.run_shell("p", script) == (0, b"0\n1\n2\n")


async def test_signals_are_as_usual_in_a_child(served: Server) -> None:
    async with client(served.url) as one:
        _, found = await one.run("p", "grep", "-E", "Sig(Blk|Ign)", "/proc/self/status")

        assert {int(line.split()[1], 16) & 0x7FFF_FFFF for line in found.splitlines()} == {0}


async def test_streams_are_told_apart(served: Server) -> None:
    async with client(served.url) as one:
        await one.start_shell("p", "echo out; echo err >&2")
        seen = await one.closed("p")

        assert (output(seen, "stdout"), output(seen, "stderr"), output(seen, "pty")) == (b"out\n", b"err\n", b"")


async def test_stdin_is_nothing_without_tty_and_pipe(served: Server) -> None:
    async with client(served.url) as one:
        assert await one.run_shell("p", "cat; readlink /proc/self/fd/0") == (0, b"/dev/null\n")
        await one.start("q", "sleep", "60")

        assert await one.call("process/write", write("q", "x", "w")) == {"status": "stdinClosed"}
        await one.call("process/terminate", {"processId": "q"})


async def test_a_terminal_has_24_rows_and_80_columns_and_is_one(served: Server) -> None:
    async with client(served.url) as one:
        code, found = await one.run_shell("p", "stty size; test -t 0 && test -t 1 && test -t 2 && tty", tty=True)

        assert code == 0
        assert found.startswith(b"24 80\r\n/dev/pts/")
        assert {message["params"]["stream"] for message in one.of("p") if "stream" in message["params"]} == {"pty"}


async def test_a_terminal_echoes_and_takes_its_control_signs(served: Server) -> None:
    async with client(served.url) as one:
        await one.start("p", "cat", tty=True)
        assert await one.call("process/write", write("p", "line\n", "1")) == {"status": "accepted"}
        await one.printed("p", "line\r\nline\r\n")
        await one.call("process/write", write("p", "\x04", "2"))
        await one.closed("p")
        assert (await one.event("p", "exited"))["exitCode"] == 0

        await one.start("q", "cat", tty=True)
        await one.call("process/write", write("q", "a\n", "1"))
        await one.printed("q", "a\r\na\r\n")
        await one.call("process/write", write("q", "\x03", "2"))
        assert b"^C" in output(await one.closed("q"))
        assert (await one.event("q", "exited"))["exitCode"] == 1


async def test_the_shell_is_named_to_a_child_with_a_terminal(served: Server) -> None:
    async with client(served.url) as one:
        _, found = await one.run("p", "/usr/bin/env", env={"A": "1"}, tty=True)

        assert set(variables(found)) == {"A", "SHELL"}


async def test_bytes_of_a_pipe_arrive_as_they_are(served: Server) -> None:
    data = bytes(range(256)) * 500
    async with client(served.url) as one:
        await one.start("p", "head", "-c", str(len(data)), pipeStdin=True)
        for number in range(0, len(data), 16_000):
            found = await one.call("process/write", write("p", data[number : number + 16_000], f"w{number}"))
            assert found == {"status": "accepted"}

        assert output(await one.closed("p")) == data


async def test_an_empty_write_is_fine_and_closes_nothing(served: Server) -> None:
    async with client(served.url) as one:
        await one.start("p", "head", "-n", "1", pipeStdin=True)
        assert await one.call("process/write", write("p", "", "1")) == {"status": "accepted"}
        assert await one.call("process/write", write("p", "x\n", "2")) == {"status": "accepted"}

        assert output(await one.closed("p")) == b"x\n"


async def test_a_repeated_write_id_writes_nothing(served: Server) -> None:
    async with client(served.url) as one:
        await one.start("p", "head", "-n", "2", pipeStdin=True)
        for text, ident in (("one\n", "a"), ("one\n", "a"), ("other\n", "a"), ("two\n", "b")):
            assert await one.call("process/write", write("p", text, ident)) == {"status": "accepted"}

        assert output(await one.closed("p")) == b"one\ntwo\n"


async def test_write_ids_are_of_one_process(served: Server) -> None:
    async with client(served.url) as one:
        for process in "pq":
            await one.start(process, "head", "-n", "1", pipeStdin=True)
            await one.call("process/write", write(process, f"{process}\n", "same"))

            assert output(await one.closed(process)) == f"{process}\n".encode()


async def test_writes_to_what_is_over_or_never_was(served: Server) -> None:
    async with client(served.url) as one:
        assert await one.call("process/write", write("p", "x", "1")) == {"status": "unknownProcess"}
        await one.run("p", "true", pipeStdin=True)

        assert await one.call("process/write", write("p", "x", "2")) == {"status": "accepted"}


async def test_a_child_that_does_not_read_holds_writes_up_until_there_is_room(served: Server, folder: Path) -> None:
    chunk, count, go = b"x" * 65536, 250, folder / "go"
    script = f"while [ ! -e {go} ]; do sleep 0.02; done; head -c {len(chunk) * count} | wc -c"
    idents: list[int] = []

    async def feed(one: Wire) -> None:
        idents.extend([await one.post("process/write", write("p", chunk, f"w{number}")) for number in range(count)])

    async with client(served.url) as one, client(served.url) as other:
        await one.start_shell("p", script, pipeStdin=True)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(feed, one)
            with pytest.raises(TimeoutError):
                await one.until(lambda _: len(one.seen) > count, 0.6)
            assert await other.run("p", "true") == (0, b"")
            go.touch()

        assert [await one.result(ident) for ident in idents] == [{"status": "accepted"}] * count
        assert int(output(await one.closed("p"))) == len(chunk) * count


async def test_an_interrupt_reaches_the_whole_group(served: Server) -> None:
    async with client(served.url) as one:
        await one.start_shell(
            "p", "sleep 300 & trap 'exit 9' INT; (trap 'echo inner; exit' INT; echo up; while :; do sleep 0.02; done)"
        )
        await one.printed("p", "up\n")
        assert await one.call("process/signal", {"processId": "p", "signal": "interrupt"}) == {}
        await one.printed("p", "inner\n")

        assert (await one.event("p", "exited"))["exitCode"] == 9
        await one.call("process/terminate", {"processId": "p"})


async def test_an_interrupt_of_what_is_over_or_never_was_is_fine(served: Server) -> None:
    async with client(served.url) as one:
        assert await one.call("process/signal", {"processId": "p", "signal": "interrupt"}) == {}
        await one.run("p", "true")

        assert await one.call("process/signal", {"processId": "p", "signal": "interrupt"}) == {}


async def test_terminate_kills_the_whole_group_at_once(served: Server) -> None:
    async with client(served.url) as one:
        await one.start_shell("p", "trap '' INT TERM HUP; sleep 300 & echo $$ $!; wait; sleep 300")
        pids = [int(pid) for pid in (await one.printed("p", "\n")).split()]
        assert await one.call("process/terminate", {"processId": "p"}) == {"running": True}

        await one.closed("p")
        assert (await one.event("p", "exited"))["exitCode"] == 137
        for pid in pids:
            await ended(pid)


async def test_terminate_of_what_is_over_or_never_was(served: Server) -> None:
    async with client(served.url) as one:
        assert await one.call("process/terminate", {"processId": "p"}) == {"running": False}
        await one.run("p", "true")

        assert await one.call("process/terminate", {"processId": "p"}) == {"running": False}


async def test_a_killed_process_stays_known(served: Server) -> None:
    async with client(served.url) as one:
        await one.start("p", "sleep", "300")
        await one.call("process/terminate", {"processId": "p"})
        await one.closed("p")

        assert await one.fault("process/start", launch("p", "true")) == (-32600, "process p already exists")
        assert (await one.call("process/read", {"processId": "p"}))["exitCode"] == 137


@pytest.mark.parametrize("tty", [False, True], ids=["pipe", "tty"])
@pytest.mark.parametrize("code", [0, 1, 77, 255])
async def test_exit_codes_are_told(served: Server, code: int, tty: bool) -> None:
    async with client(served.url) as one:
        assert (await one.run_shell("p", f"exit {code}", tty=tty))[0] == code
        assert (await one.event("p", "exited"))["sandboxDenied"] is False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, signal.SIGUSR1])
async def test_death_by_a_signal_is_128_and_its_number_and_1_with_a_terminal(served: Server, number: int) -> None:
    async with client(served.url) as one:
        assert (await one.run_shell("p", f"kill -{number:d} $$"))[0] == 128 + number
        assert (await one.run_shell("q", f"kill -{number:d} $$", tty=True))[0] == 1


async def test_an_id_in_use_is_refused(served: Server) -> None:
    async with client(served.url) as one:
        await one.start("p", "sleep", "60")

        assert await one.fault("process/start", launch("p", "true")) == (-32600, "process p already exists")
        assert await one.call("process/terminate", {"processId": "p"}) == {"running": True}


async def test_there_is_no_way_to_list_detach_or_close(served: Server) -> None:
    async with client(served.url) as one:
        for method in ("process/list", "process/detach", "process/closeStdin"):
            assert (await one.fault(method, {"processId": "p"}))[0] == -32601


async def test_metadata_changes_nothing(served: Server) -> None:
    async with client(served.url) as one:
        found = await one.run(
            "p", "echo", "hi", metadata={"threadId": str(uuid4()), "toolCallId": "c"}, sandbox=None, arg0=None
        )

        assert found == (0, b"hi\n")


@OURS_ONLY
async def test_enforced_network_without_details_fails_closed(served: Server) -> None:
    async with client(served.url) as one:
        code, _ = await one.fault("process/start", {**launch("p", "true"), "enforceManagedNetwork": True})

        assert code in (-32600, -32602, -32603)
        assert not one.of("p")


async def test_many_processes_run_at_once(served: Server) -> None:
    async with client(served.url) as one:
        names = [str(number) for number in range(50)]
        starts = [
            await one.post("process/start", launch(name, "sh", "-c", "read x; echo got $x", pipeStdin=True))
            for name in names
        ]
        for ident in starts:
            await one.result(ident)
        for name in names:
            await one.call("process/write", write(name, f"{name}\n", "w"))

        assert [output(await one.closed(name)) for name in names] == [f"got {name}\n".encode() for name in names]


@OURS_ONLY
async def test_nothing_is_left_of_ended_processes(serving: Codex, folder: Path) -> None:
    server = Server(serving, folder / "home")
    try:
        async with client(server.url) as one:

            def open_files() -> int:
                return len(os.listdir(f"/proc/{server.process.pid}/fd"))

            await one.run("warm", "true")
            await one.run("warm-tty", "true", tty=True)
            children = anyio.Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
            before, kept = open_files(), await children.read_text()
            for number in range(10):
                await one.run(f"p{number}", "echo", "hi", pipeStdin=bool(number % 2), tty=number > 6)
            for _ in range(200):
                if open_files() <= before:
                    break
                await asyncio.sleep(0.02)

            assert open_files() <= before
            assert await children.read_text() == kept
    finally:
        server.close()


async def test_a_lost_clients_process_goes_on(served: Server, folder: Path) -> None:
    async with client(served.url) as one:
        await one.start_shell("p", f"read x; touch {folder / 'done'}", pipeStdin=True)
        await one.call("process/write", write("p", "x\n", "w"))
    await appears(folder / "done")


@OURS_ONLY
async def test_a_plain_path_is_a_directory_too(served: Server, folder: Path) -> None:
    async with client(served.url) as one:
        assert await one.run("p", "/bin/pwd", cwd=str(folder)) == (0, f"{folder}\n".encode())
        (folder / "a b%20").mkdir()
        assert await one.run("q", "/bin/pwd", cwd=f"{folder}/a b%20") == (0, f"{folder}/a b%20\n".encode())


@OURS_ONLY
async def test_a_write_needs_no_id(served: Server) -> None:
    async with client(served.url) as one:
        await one.start("p", "head", "-n", "2", pipeStdin=True)
        for _ in range(2):
            found = await one.call("process/write", {"processId": "p", "chunk": b64("same\n")})
            assert found == {"status": "accepted"}

        assert output(await one.closed("p")) == b"same\nsame\n"


@OURS_ONLY
async def test_a_client_of_0_118_that_polls_sees_everything(served: Server) -> None:
    async with wire(served.url) as one:
        await one.call("initialize", {"clientName": "codex-environment"})
        await one.send({"method": "initialized"})
        start = {"processId": "1000", "argv": ["sh", "-c", "read x; echo got $x; exit 3"], "cwd": "/", "arg0": None}
        await one.call("process/start", {**start, "env": {"PATH": PATH}, "tty": True})
        await one.call("process/write", {"processId": "1000", "chunk": b64("hi\n")})
        text, after = b"", 0
        while True:
            found = await one.call(
                "process/read", {"processId": "1000", "afterSeq": after, "maxBytes": None, "waitMs": 500}
            )
            text += b"".join(unb64(chunk["chunk"]) for chunk in found["chunks"])
            after = found["nextSeq"] - 1
            if found["closed"]:
                break

        assert text == b"hi\r\ngot hi\r\n"
        assert (found["exitCode"], found["failure"]) == (3, None)
        assert await one.call("process/terminate", {"processId": "1000"}) == {"running": False}


async def test_two_hundred_processes_run_at_once(served: Server) -> None:
    names = [str(number) for number in range(200)]
    async with client(served.url) as one:
        script = "echo $$; read x; exit $((x % 100))"
        starts = [await one.post("process/start", launch(name, "sh", "-c", script, pipeStdin=True)) for name in names]
        for ident in starts:
            await one.result(ident)
        pids = {(await one.printed(name, "\n")) for name in names}
        assert len(pids) == len(names)
        for name in names:
            await one.post("process/write", write(name, f"{name}\n", "w"))

        for name in names:
            await one.closed(name)
            assert (await one.event(name, "exited"))["exitCode"] == int(name) % 100
