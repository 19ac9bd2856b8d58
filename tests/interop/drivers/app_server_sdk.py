"""Drive the Python SDK that speaks to the app-server: a job as JSON on stdin, one JSON object on stdout."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from openai_codex import ApprovalMode, AsyncCodex, Codex, CodexConfig, Sandbox


def plain(value: Any) -> Any:
    """Turn the SDK's models into JSON values."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.model_dump(mode="json", by_alias=True) if hasattr(value, "model_dump") else value


def result(turn: Any) -> dict[str, Any]:
    """Tell what the SDK made of a turn."""
    return {
        "id": turn.id, "status": str(turn.status.value), "error": plain(turn.error), "final": turn.final_response,
        "items": plain(turn.items), "usage": plain(turn.usage),
    }  # fmt: skip


def turns(codex: Any, job: dict[str, Any]) -> dict[str, Any]:
    thread = codex.thread_start(cwd=job["cwd"], sandbox=Sandbox.full_access, approval_mode=ApprovalMode.deny_all)
    return {"thread": thread.id, "turns": [result(thread.run(text)) for text in job["texts"]]}


def failing(codex: Any, job: dict[str, Any]) -> dict[str, Any]:
    thread = codex.thread_start(cwd=job["cwd"])
    try:
        thread.run("go")
    except RuntimeError as error:
        return {"error": str(error)}
    return {}


def streaming(codex: Any, job: dict[str, Any]) -> dict[str, Any]:
    thread = codex.thread_start(cwd=job["cwd"], sandbox=Sandbox.full_access)
    handle = thread.turn("go")
    methods, unknown = [], []
    for notification in handle.stream():
        methods.append(notification.method)
        if type(notification.payload).__name__ == "UnknownNotification":
            unknown.append(notification.method)
    return {"methods": methods, "unknown": unknown}


def approvals(codex: Any, job: dict[str, Any]) -> dict[str, Any]:
    thread = codex.thread_start(cwd=job["cwd"], sandbox=Sandbox.workspace_write)
    return {"turn": result(thread.run("go"))}


def interrupted(codex: Any, job: dict[str, Any]) -> dict[str, Any]:
    thread = codex.thread_start(cwd=job["cwd"], sandbox=Sandbox.full_access, approval_mode=ApprovalMode.deny_all)
    handle = thread.turn("go")
    for notification in handle.stream():
        if notification.method == "item/started" and "commandExecution" in json.dumps(plain(notification.payload)):
            handle.steer("and mind the wards")
            handle.interrupt()
        if notification.method == "turn/completed":
            return {"status": plain(notification.payload)["turn"]["status"]}
    return {}


def threads(codex: Any, job: dict[str, Any]) -> dict[str, Any]:
    thread = codex.thread_start(cwd=job["cwd"], sandbox=Sandbox.full_access, approval_mode=ApprovalMode.deny_all)
    thread.run("first")
    thread.set_name("the tower")
    read = plain(thread.read(include_turns=True))["thread"]
    fork = codex.thread_fork(thread.id)
    forked = result(fork.run("second"))
    codex.thread_archive(thread.id)
    archived = plain(codex.thread_list(archived=True))["data"]
    codex.thread_unarchive(thread.id)
    resumed = codex.thread_resume(thread.id)
    return {
        "thread": thread.id, "fork": fork.id, "read": read, "forked": forked,
        "archived": [one["id"] for one in archived],
        "listed": [one["id"] for one in plain(codex.thread_list())["data"]], "again": result(resumed.run("third")),
    }  # fmt: skip


def program(codex: Any, job: dict[str, Any]) -> dict[str, Any]:
    return {
        "metadata": plain(codex.metadata),
        "models": plain(codex.models())["data"],
        "account": plain(codex.account()),
    }


async def asynchronous(config: Any, job: dict[str, Any]) -> dict[str, Any]:
    async with AsyncCodex(config) as codex:
        started = [await codex.thread_start(cwd=job["cwd"], sandbox=Sandbox.full_access) for _ in range(4)]
        done = await asyncio.gather(*(thread.run("go") for thread in started))
        return {"turns": [result(turn) for turn in done]}


def main() -> None:
    job = json.load(sys.stdin)
    config = CodexConfig(codex_bin=job["codex"], env=job["env"], cwd=job["cwd"])
    if job["do"] == "asynchronous":
        print(json.dumps(asyncio.run(asynchronous(config, job))))
        return
    with Codex(config) as codex:
        print(json.dumps(globals()[job["do"]](codex, job)))


main()
