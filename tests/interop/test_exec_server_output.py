"""Numbering, order, retention and flow of what processes say (§4 and §5 of the protocol)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from interop.exec_server import Message, b64, client, launch, output, unb64, wire

if TYPE_CHECKING:
    from pathlib import Path

    from interop.exec_server import Server, Wire

MIB = 1024 * 1024
BIG = 80_000_000
OURS_ONLY = pytest.mark.parametrize("serving", ["ours"], indirect=True)


async def read(one: Wire, process: str, **more: Any) -> Message:
    found: Message = await one.call("process/read", {"processId": process, **more})
    return found


def numbers(messages: list[Message]) -> list[int]:
    return [message["params"]["seq"] for message in messages]


def steps(count: int, folder: Path) -> str:
    """Give a script that says one line whenever it is given one."""
    return f"for n in $(seq {count}); do read x; echo $n; done; touch {folder / 'said'}; read x"


async def say(one: Wire, process: str, count: int) -> None:
    """Have the script say so many lines in chunks of their own."""
    for number in range(1, count + 1):
        await one.call("process/write", {"processId": process, "chunk": b64("\n"), "writeId": f"w{number}"})
        await one.printed(process, f"{number}\n")


@pytest.mark.parametrize("tty", [False, True], ids=["pipe", "tty"])
async def test_events_are_numbered_from_one_without_gaps_and_closed_is_last(served: Server, tty: bool) -> None:
    async with client(served.url) as one:
        await one.start_shell("p", "for n in 1 2 3 4 5 6 7 8 9; do echo out; echo err >&2; done", tty=tty)
        seen = await one.closed("p")

        assert numbers(seen) == list(range(1, len(seen) + 1))
        kinds = [message["method"] for message in seen]
        assert kinds[-1] == "process/closed"
        assert (kinds.count("process/closed"), kinds.count("process/exited")) == (1, 1)


async def test_events_have_these_members(served: Server) -> None:
    async with client(served.url) as one:
        await one.start_shell("p", "echo hi; sleep 0.1; exit 3")
        seen = {message["method"]: message for message in await one.closed("p")}

        for message in seen.values():
            assert set(message) == {"method", "params"}
        assert seen["process/output"]["params"] == {"processId": "p", "seq": 1, "stream": "stdout", "chunk": "aGkK"}
        exited = seen["process/exited"]["params"]
        assert exited == {"processId": "p", "seq": exited["seq"], "exitCode": 3, "sandboxDenied": False}
        assert seen["process/closed"]["params"] == {"processId": "p", "seq": 3}


async def test_an_event_may_come_before_the_answer_to_the_start_but_none_is_lost(served: Server) -> None:
    async with client(served.url) as one:
        for number in range(20):
            ident = await one.post("process/start", launch(f"p{number}", "echo", "hi"))
            seen = await one.closed(f"p{number}")

            assert await one.result(ident)
            assert output(seen) == b"hi\n"
            assert numbers(seen) == [1, 2, 3]


@OURS_ONLY
async def test_events_go_over_the_wire_in_the_order_of_their_numbers(served: Server) -> None:
    async with client(served.url) as one:
        for number in range(10):
            await one.start_shell(f"p{number}", "seq 2000; seq 2000 >&2")
        for number in range(10):
            await one.closed(f"p{number}")
            seen = numbers(one.of(f"p{number}"))

            assert seen == list(range(1, len(seen) + 1))


@pytest.mark.parametrize(("tty", "most"), [(False, 8192), (True, 8192)], ids=["pipe", "tty"])
async def test_output_comes_in_pieces(served: Server, tty: bool, most: int) -> None:
    async with client(served.url) as one:
        await one.start_shell("p", "head -c 300000 /dev/zero | tr '\\0' x", tty=tty)
        seen = await one.closed("p")

        assert output(seen) == b"x" * 300_000
        assert max(len(output([message])) for message in seen) <= most


async def test_what_is_not_utf8_arrives(served: Server) -> None:
    data = bytes(range(256))
    async with client(served.url) as one:
        await one.start("p", "printf", "".join(f"\\{byte:03o}" for byte in data))

        assert output(await one.closed("p")) == data


async def test_a_grandchild_that_holds_stdout_delays_closed_and_not_exited(served: Server) -> None:
    async with client(served.url) as one:
        await one.start_shell("p", "(sleep 0.7; echo late) & echo early; exit 3")
        await one.event("p", "exited")
        assert output(one.of("p")) in (b"", b"early\n")
        found = await read(one, "p")
        assert (found["exited"], found["exitCode"], found["closed"]) == (True, 3, False)

        seen = await one.closed("p")
        assert output(seen) == b"early\nlate\n"
        assert numbers(seen) == [1, 2, 3, 4]


async def test_a_grandchild_that_holds_nothing_delays_nothing(served: Server) -> None:
    async with client(served.url) as one:
        await one.start_shell("p", "sleep 5 >/dev/null 2>&1 & echo hi")

        await one.closed("p", 3)
        assert await one.call("process/terminate", {"processId": "p"}) == {"running": False}


async def test_terminate_after_exited_ends_what_holds_the_output(served: Server) -> None:
    async with client(served.url) as one:
        await one.start_shell("p", "sleep 0.5 & exit 0")
        await one.event("p", "exited")

        assert await one.call("process/terminate", {"processId": "p"}) == {"running": False}
        await one.closed("p")


async def test_reading_gives_everything_after_a_number(served: Server, folder: Path) -> None:
    async with client(served.url) as one:
        await one.start_shell("p", steps(5, folder), pipeStdin=True)
        await say(one, "p", 5)

        every = await read(one, "p")
        assert [(chunk["seq"], unb64(chunk["chunk"])) for chunk in every["chunks"]] == [
            (number, f"{number}\n".encode()) for number in range(1, 6)
        ]
        rest = {key: value for key, value in every.items() if key != "chunks"}
        assert rest == {
            "nextSeq": 6,
            "exited": False,
            "exitCode": None,
            "closed": False,
            "failure": None,
            "sandboxDenied": False,
        }
        assert await read(one, "p", afterSeq=None, maxBytes=None, waitMs=None) == every
        assert await read(one, "p", afterSeq=0) == every
        assert [chunk["seq"] for chunk in (await read(one, "p", afterSeq=3))["chunks"]] == [4, 5]
        for after in (5, 6, 1000, 2**63):
            found = await read(one, "p", afterSeq=after)
            assert (found["chunks"], found["nextSeq"]) == ([], 6)
        await one.call("process/terminate", {"processId": "p"})


async def test_reading_is_bounded_by_whole_chunks_and_goes_on_at_the_next(served: Server, folder: Path) -> None:
    async with client(served.url) as one:
        await one.start_shell("p", steps(5, folder), pipeStdin=True)
        await say(one, "p", 5)

        for most, count in ((0, 1), (1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (9, 4), (10, 5), (100, 5)):
            found = await read(one, "p", maxBytes=most)
            assert [chunk["seq"] for chunk in found["chunks"]] == list(range(1, count + 1))
            assert found["nextSeq"] == count + 1
        found = await read(one, "p", afterSeq=2, maxBytes=4)
        assert ([chunk["seq"] for chunk in found["chunks"]], found["nextSeq"]) == ([3, 4], 5)
        await one.call("process/terminate", {"processId": "p"})


async def test_next_counts_exited_and_closed(served: Server) -> None:
    async with client(served.url) as one:
        await one.run_shell("p", "echo hi; sleep 0.1; exit 3")

        for after in (0, 1, 2, 3, 50):
            found = await read(one, "p", afterSeq=after, waitMs=60_000)
            assert (found["nextSeq"], found["exited"], found["exitCode"], found["closed"]) == (4, True, 3, True)
        for most in (0, 3, 1_000_000):
            found = await read(one, "p", maxBytes=most)
            assert (len(found["chunks"]), found["nextSeq"], found["closed"]) == (1, 2, True)
            assert (await read(one, "p", afterSeq=1, maxBytes=most))["nextSeq"] == 4


async def test_reading_waits_for_output(served: Server) -> None:
    async with client(served.url) as one:
        await one.start_shell("p", "sleep 0.2; echo hi; sleep 60")

        assert (await read(one, "p"))["chunks"] == []
        found = await read(one, "p", waitMs=10_000)
        assert output(found["chunks"]) == b"hi\n"
        found = await read(one, "p", afterSeq=found["nextSeq"] - 1, waitMs=100)
        assert (found["chunks"], found["exited"]) == ([], False)
        await one.call("process/terminate", {"processId": "p"})


async def test_reading_waits_for_exit_and_for_close(served: Server) -> None:
    async with client(served.url) as one:
        await one.start_shell("p", "(sleep 0.6; :) & sleep 0.2; exit 3")

        found = await read(one, "p", waitMs=10_000)
        assert (found["chunks"], found["exited"], found["exitCode"], found["closed"]) == ([], True, 3, False)
        assert found["nextSeq"] == 2
        found = await read(one, "p", afterSeq=1, waitMs=10_000)
        assert (found["closed"], found["nextSeq"]) == (True, 3)


async def test_two_readers_of_one_process_get_the_same(served: Server) -> None:
    async with client(served.url) as one:
        await one.start_shell("p", "sleep 0.2; echo hi; read x", pipeStdin=True)
        idents = [await one.post("process/read", {"processId": "p", "waitMs": 10_000}) for _ in range(2)]

        first, second = [await one.result(ident) for ident in idents]
        assert output(first["chunks"]) == b"hi\n"
        assert first == second
        await one.call("process/terminate", {"processId": "p"})


@OURS_ONLY
async def test_a_waiting_read_holds_nothing_up(served: Server) -> None:
    async with client(served.url) as one:
        await one.start("p", "sleep", "60")
        waiting = await one.post("process/read", {"processId": "p", "waitMs": 60_000})

        assert await one.call("environment/status") == {"status": "ready"}
        assert await one.call("process/terminate", {"processId": "p"}) == {"running": True}
        assert (await one.result(waiting))["exited"] is True


async def test_events_come_while_a_read_waits(served: Server) -> None:
    async with client(served.url) as one:
        await one.start_shell("q", "sleep 0.2; echo hi")
        await one.start("p", "sleep", "1")
        waiting = await one.post("process/read", {"processId": "p", "waitMs": 900})
        await one.closed("q")

        assert not [message for message in one.seen if message.get("id") == waiting]
        assert (await one.result(waiting))["chunks"] == []


async def test_the_newest_mebibyte_is_kept_for_reading_and_events_carry_all(served: Server) -> None:
    async with client(served.url) as one:
        code, text = await one.run_shell("p", "seq -f %07.0f 400000")
        found = await read(one, "p")
        kept = output(found["chunks"])

        assert (code, len(text)) == (0, 3_200_000)
        assert text.endswith(kept)
        assert MIB - 8192 <= len(kept) <= MIB
        seqs = [chunk["seq"] for chunk in found["chunks"]]
        assert seqs == list(range(seqs[0], seqs[-1] + 1))
        assert found["nextSeq"] in (seqs[-1] + 2, seqs[-1] + 3)
        assert (await read(one, "p", afterSeq=1, maxBytes=0))["chunks"][0]["seq"] == seqs[0]


async def test_both_streams_share_the_mebibyte(served: Server) -> None:
    async with client(served.url) as one:
        await one.run_shell("p", "seq -f %07.0f 200000; seq -f %07.0f 200000 >&2")

        assert MIB - 8192 <= len(output((await read(one, "p"))["chunks"])) <= MIB


async def test_a_reader_that_stops_holds_a_producer_up_and_gets_every_byte_in_order(
    served: Server, folder: Path
) -> None:
    mark = folder / "done"
    closed = False
    produce = f"seq 20000000 | head -c {BIG}"
    async with client(served.url) as one, client(served.url) as other:
        await one.start_shell("p", f"{produce}; touch {mark}")
        assert await other.run_shell("q", "sleep 0.6; echo fine") == (0, b"fine\n")
        assert served.memory() < 250 * MIB
        assert not mark.exists()

        parts: dict[int, bytes] = {}
        while not parts or len(parts) < max(parts) or not closed:
            message = await one.until(lambda each: each.get("method", "").startswith("process/"))
            one.seen.clear()
            closed = closed or message["method"] == "process/closed"
            parts[message["params"]["seq"]] = unb64(message["params"].get("chunk", ""))

    every = b"".join(parts[number] for number in sorted(parts))
    expected = await anyio.run_process(["sh", "-c", f"{produce} | sha256sum"])
    assert len(every) == BIG
    assert hashlib.sha256(every).hexdigest() == expected.stdout.split()[0].decode()


async def test_others_flow_while_one_reader_stands_still(served: Server) -> None:
    async with client(served.url) as one, client(served.url) as other:
        await one.start_shell("p", "seq 8000000")

        _, text = await other.run_shell("p", "seq -f %07.0f 400000")
        assert len(text) == 3_200_000
        await one.call("process/terminate", {"processId": "p"})


@pytest.mark.parametrize("reads", [False, True])
async def test_a_connection_cut_in_the_middle_of_much_output_disturbs_nobody(served: Server, reads: bool) -> None:
    async with client(served.url) as other:
        for number in range(5):
            async with client(served.url) as one:
                for name in "pqr":
                    await one.start_shell(name, "seq 2000000; sleep 5")
                for _ in range(100 if reads else 0):
                    await one.more()
                one.connection.transport.abort()

            assert await other.run(f"p{number}", "echo", "fine") == (0, b"fine\n")
        async with wire(served.url) as one:
            await one.initialize()
            assert await one.run("p", "true") == (0, b"")
