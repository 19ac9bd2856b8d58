"""A tool that rolls dice and a Stop hook that minds TODOs."""

import random

from codex_hookspecs import StopEvent, StopVerdict, Tool, hookimpl


def roll_dice(sides: int = 6) -> int:
    """Roll a die with this many sides."""
    return random.randint(1, sides)


@hookimpl
def tools() -> list[Tool]:
    return [Tool.from_function(roll_dice)]


@hookimpl
async def stop(event: StopEvent) -> StopVerdict | None:
    if "TODO" in (event.last_assistant_message or "") and not event.stop_hook_active:
        return StopVerdict.block("Finish the TODOs you left.")
    return None
