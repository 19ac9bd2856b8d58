"""Patches that are a lot of work, none of which may hold up the program."""

import asyncio
import random
import time

import pytest

pytestmark = pytest.mark.anyio

SECONDS = 15


def _lines(count, kinds, seed):
    numbers = random.Random(seed)
    return [f"value {numbers.randrange(kinds)}" for _ in range(count)]


def _rewritten(kinds):
    return _lines(8_000, kinds, 1), "*** Add File: f\n" + "\n".join(f"+{line}" for line in _lines(8_000, kinds, 2))


def _plain(count):
    return [f"line {number}" for number in range(count)]


def _hunks(count, step):
    chunks = (f"@@\n line {n}\n-line {n + 1}\n+new {n}" for n in range(0, count * step, step))
    return "*** Update File: f\n" + "\n".join(chunks)


def _near(count):
    lines = [text for n in range(count) for text in (f"  }} \u2013 {n % 7}", f"line\u2013{n}")]
    chunks = (f"@@\n }} - {n % 7}\n-line-{n}\n+new {n}" for n in range(0, count, 8))
    return lines, "*** Update File: f\n" + "\n".join(chunks)


CASES = {
    "few values, rewritten": lambda: _rewritten(110),
    "two values, rewritten": lambda: _rewritten(2),
    "many values, rewritten": lambda: _rewritten(10**9),
    "2,000 hunks": lambda: (_plain(8_000), _hunks(2_000, 4)),
    "500 updates of one file": lambda: (
        _plain(8_000),
        "\n".join(f"*** Update File: f\n@@\n-line {n}\n+new" for n in range(500)),
    ),
    "1,000 places that are only near": lambda: _near(8_000),
    "2,000 anchors": lambda: (
        [text for n in range(4_000) for text in (f"def f{n}():", "    pass", "")],
        "*** Update File: f\n" + "\n".join(f"@@ def f{n}():\n-    pass\n+    return {n}" for n in range(0, 4_000, 2)),
    ),
    "1,000 new files": lambda: ([], "\n".join(f"*** Add File: d{n}/x\n+1" for n in range(1_000))),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_large_patch_takes_seconds_and_holds_up_nothing(conversation, work, case):
    lines, body = CASES[case]()
    (work / "f").write_text("".join(f"{line}\n" for line in lines))
    longest = 0.0

    async def look():
        nonlocal longest
        while True:
            before = time.monotonic()
            await asyncio.sleep(0)
            longest = max(longest, time.monotonic() - before)

    looking = asyncio.create_task(look())
    await asyncio.sleep(0)
    async with asyncio.timeout(SECONDS):
        output = await conversation.patch(body)
    looking.cancel()

    assert output.success
    assert longest < 1


async def test_many_patches_of_a_turn_add_up_in_linear_time(conversation, work):
    for number in range(60):
        (work / f"f{number}").write_text("".join(f"{line}\n" for line in _plain(2_000)))

    async with asyncio.timeout(SECONDS):
        for number in range(60):
            await conversation.patch(f"*** Update File: f{number}\n@@\n-line 1000\n+new")

    assert conversation.last_diff().count("diff --git") == 60
