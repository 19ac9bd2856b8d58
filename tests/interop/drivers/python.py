"""Drive the Python SDK: a job as JSON on stdin, one JSON line for each step on stdout."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from openai_codex_sdk import Codex
from openai_codex_sdk.abort import AbortController


async def step(thread: Any, found: dict[str, Any]) -> dict[str, Any]:
    """Run one turn and tell what the SDK made of it."""
    options: dict[str, Any] = {"output_schema": found["schema"]} if "schema" in found else {}
    abort = AbortController()
    if "abortOn" in found:
        options["signal"] = abort.signal
    try:
        if "abortOn" in found or found.get("streamed"):
            events = []
            streamed = await thread.run_streamed(found["input"], options)
            async for event in streamed.events:
                events.append(plain(event))
                if events[-1]["type"] == found.get("abortOn"):
                    abort.abort()
            return {"events": events}
        turn = await thread.run(found["input"], options)
    except Exception as error:
        return {"error": str(error), "name": type(error).__name__}
    return {"items": plain(turn.items), "finalResponse": turn.final_response, "usage": plain(turn.usage)}


def plain(value: Any) -> Any:
    """Turn the SDK's models into JSON values."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


async def main() -> None:
    """Run the job."""
    job = json.load(sys.stdin)
    codex = Codex({"codex_path_override": job["codex"], "env": job["env"], **job["client"]})
    thread = codex.start_thread(job["thread"])
    for found in job["steps"]:
        if found.get("resume"):
            ident = thread.id if found["resume"] is True else found["resume"]
            thread = codex.resume_thread(ident, job["thread"])
        told = await step(thread, found)
        print(json.dumps({**told, "thread": thread.id}), flush=True)


asyncio.run(main())
