"""Whole turns, wherever they work: commands, patches, images, instructions and consent are about that machine."""

from __future__ import annotations

import asyncio
import json
import os
import posixpath
from base64 import b64decode
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from machines.conftest import Machine, Place

from codex_hooks_command import plugin as hooks_command
from codex_hookspecs.types.http import HttpRequest
from codex_hookspecs.types.items import CommandExecution, FileChange, ImageView
from codex_hookspecs.types.notifications import TurnDiffUpdated
from codex_hookspecs.types.requests import ThreadResumeParams
from codex_thread_store import plugin as thread_store

pytestmark = pytest.mark.anyio
PIXEL = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")


def call(name: str, **arguments: Any) -> dict[str, Any]:
    return {"call": name, "call_id": "c", "args": arguments}


def shell(cmd: str, **more: Any) -> dict[str, Any]:
    return call("exec_command", cmd=cmd, login=False, **more)


def patch(*lines: str) -> dict[str, Any]:
    return {"patch": "\n".join(["*** Begin Patch", *lines, "*** End Patch"]), "call_id": "c"}


def asked_with(model: Any) -> str:
    """Return all the first request holds, as text."""
    return json.dumps(model.requests[0].input)


async def test_a_command_runs_there(work: Any, model: Any, place: Place, machine: Machine) -> None:
    talk = model([shell("pwd; hostname; echo err >&2; exit 3")], "done")

    run = await work(talk).turn("go")

    there = await place.run("hostname")
    assert "Process exited with code 3\n" in talk.output("c")
    assert sorted(talk.output("c").splitlines()[-3:]) == sorted([place.path, there.strip(), "err"])
    [item] = [each for each in run.items if isinstance(each, CommandExecution)]
    assert (item.status, item.exit_code, item.cwd) == ("failed", 3, place.path)
    assert machine.way != "bwrap" or there == "remote\n"


async def test_a_command_starts_where_the_call_says(work: Any, model: Any, place: Place) -> None:
    await place.write({"deep/er/x": ""})
    talk = model([shell("pwd", workdir="deep/er")], "done")

    await work(talk).turn("go")

    assert talk.output("c").endswith(f"\n{place.path}/deep/er\n")


async def test_a_directory_that_is_not_there_is_told_in_the_systems_words(work: Any, model: Any, place: Place) -> None:
    talk = model([shell("pwd", workdir="nowhere")], "done")

    await work(talk).turn("go")

    assert "No such file or directory (os error 2)" in talk.output("c")


async def test_a_command_is_talked_to(work: Any, model: Any) -> None:
    talk = model(
        [shell("read a; echo got $a; read b; echo and $b", tty=True, yield_time_ms=250)],
        [{"stdin": {"session_id": "$SESSION", "chars": "one\n", "yield_time_ms": 800}, "call_id": "w"}],
        [{"stdin": {"session_id": "$SESSION", "chars": "two\n", "yield_time_ms": 20_000}, "call_id": "x"}],
        "done",
    )

    await work(talk).turn("go")

    assert "got one" in talk.output("w")
    assert "and two" in talk.output("x")
    assert "Process exited with code 0" in talk.output("x")


async def test_a_command_outlives_its_turn_and_not_its_thread(work: Any, model: Any, place: Place) -> None:
    talk = model([shell("echo $$ > pid; exec sleep 60", yield_time_ms=250)], "done")
    kit = work(talk)

    run = await kit.turn("go")

    begun = "while [ ! -s pid ]; do sleep 0.02; done; kill -0 $(cat pid) && echo alive"
    ended = "for i in $(seq 500); do kill -0 $(cat pid) 2>/dev/null || break; sleep 0.02; done; echo $i"
    async with asyncio.timeout(20):
        assert await place.run(begun) == "alive\n"
    await (await kit.opened()).application.threads.unload(run.thread.id)
    assert int(await place.run(ended)) < 500


async def test_much_output_comes_whole(work: Any, model: Any) -> None:
    talk = model([shell("seq 1 100000", yield_time_ms=20_000)], "done")

    run = await work(talk).turn("go")

    [item] = [each for each in run.items if isinstance(each, CommandExecution)]
    assert item.aggregated_output == "".join(f"{number}\n" for number in range(1, 100_001))
    assert "Total output lines: 100000" in talk.output("c")


async def test_patches_change_files_there(work: Any, model: Any, place: Place, tmp_path: Path) -> None:
    await place.write({"old.txt": "a\nb\n", "gone.txt": "x\n", ".git/HEAD": "ref: refs/heads/main\n"})
    talk = model(
        [
            patch(
                *("*** Add File: new/n.txt", "+hello"),
                *("*** Update File: old.txt", "*** Move to: moved.txt", "@@", "-a", "+A", " b"),
                "*** Delete File: gone.txt",
            )
        ],
        "done",
    )

    run = await work(talk).turn("go")

    assert [await place.read(name) for name in ("new/n.txt", "moved.txt", "old.txt", "gone.txt")] == [
        "hello\n",
        "A\nb\n",
        None,
        None,
    ]
    assert [each.status for each in run.items if isinstance(each, FileChange)] == ["completed"]
    diffs = [each.diff for each in run.notifications if isinstance(each, TurnDiffUpdated)]
    assert "+++ b/new/n.txt" in diffs[-1]
    assert not list((tmp_path / "project").iterdir())


async def test_a_patch_given_as_a_command_changes_files_there(work: Any, model: Any, place: Place) -> None:
    body = "*** Begin Patch\n*** Add File: made.txt\n+hello\n*** End Patch"
    talk = model([shell(f"apply_patch <<'EOF'\n{body}\nEOF")], "done")

    run = await work(talk).turn("go")

    assert await place.read("made.txt") == "hello\n"
    assert not [each for each in run.items if isinstance(each, CommandExecution)]


async def test_links_of_that_machine_say_what_a_patch_may_change(work: Any, model: Any, place: Place) -> None:
    await place.run("mkdir ../outside; ln -s ../outside out; mkdir real; ln -s real alias")
    params = {"sandbox": "workspace-write", "approval_policy": "never"}
    config = {"sandbox_workspace_write.exclude_slash_tmp": True, "sandbox_workspace_write.exclude_tmpdir_env_var": True}
    outside = model([patch("*** Add File: out/x", "+1")], "done")
    inside = model([patch("*** Add File: alias/x", "+1")], "done")

    await work(outside, params=params, config=config).turn("go")
    await work(inside, params=params, config=config).turn("go")

    assert "writing outside of the project" in outside.output("c")
    assert await place.run("ls ../outside") == ""
    assert await place.read("real/x") == "1\n"


async def test_who_is_asked_about_a_patch_is_asked_about_that_machine_s_files(
    work: Any, model: Any, place: Place
) -> None:
    # What commands can make themselves, such as a link in the workspace, opens no other place.
    await place.run("mkdir ../roomy; ln -s $PWD/../roomy ../extra")
    config = {
        "sandbox_workspace_write.writable_roots": [f"{posixpath.dirname(place.path)}/extra"],
        "sandbox_workspace_write.exclude_slash_tmp": True,
        "sandbox_workspace_write.exclude_tmpdir_env_var": True,
    }
    talk = model(
        [patch("*** Add File: ../roomy/x", "+1")], [{**patch("*** Add File: ../y", "+1"), "call_id": "d"}], "x"
    )
    kit = work(talk, params={"sandbox": "workspace-write", "approval_policy": "on-request"}, config=config)
    asked: list[str] = []

    async def client(method: str, params: Any) -> Any:
        asked.append(params["itemId"])
        return {"decision": "decline"}

    (await (await kit.opened()).thread()).set_request_handler(client)

    await kit.turn("go")

    assert asked == ["d"]
    assert await place.run("cat ../roomy/x; ls ../y 2>/dev/null") == "1\n"


async def test_an_image_is_one_of_that_machine(work: Any, model: Any, place: Place) -> None:
    await place.write({"a.png": PIXEL})
    talk = model([call("view_image", path="a.png")], [{**call("view_image", path="b.png"), "call_id": "d"}], "done")

    run = await work(talk).turn("go")

    assert [each.path for each in run.items if isinstance(each, ImageView)] == [f"{place.path}/a.png"]
    assert "iVBORw0KGgo" in json.dumps(talk.requests[-1].input)
    assert talk.output("d").startswith(f"unable to locate image at `{place.path}/b.png`: No such file")


async def test_instructions_are_those_of_that_machine(work: Any, model: Any, place: Place, tmp_path: Path) -> None:
    await place.write(
        {".git/HEAD": "ref: refs/heads/main\n", "AGENTS.md": "Rule of the root.", "in/AGENTS.md": "Rule of the folder."}
    )
    (tmp_path / "project").mkdir(exist_ok=True)
    (tmp_path / "project/AGENTS.md").write_text("Rule of somewhere else.")
    talk = model("done")

    await work(talk, params={"cwd": f"{place.path}/in"}).turn("go")

    told = asked_with(talk)
    assert "Rule of the root." in told
    assert "Rule of the folder." in told
    assert "Rule of somewhere else." not in told
    assert f"<cwd>{place.path}/in</cwd>" in told


async def test_a_thread_is_kept_with_the_facts_of_its_repository(
    work: Any, model: Any, place: Place, tmp_path: Path
) -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    config = '[remote "origin"]\n\turl = https://example.test/there.git\n'
    await place.write({".git/HEAD": "ref: refs/heads/there\n", ".git/refs/heads/there": commit, ".git/config": config})

    await work(model("done"), thread_store).turn("go")

    [rollout] = (tmp_path / "home/sessions").glob("*/*/*/rollout-*.jsonl")
    meta = json.loads(rollout.read_text().splitlines()[0])["payload"]
    assert meta["git"] == {
        "commit_hash": commit,
        "branch": "there",
        "repository_url": "https://example.test/there.git",
    }


async def test_a_thread_goes_on_in_its_directory(work: Any, model: Any, place: Place) -> None:
    kit = work(model("done"), thread_store)
    run = await kit.turn("go")
    threads = (await kit.opened()).application.threads
    await threads.unload(run.thread.id)

    resumed = await threads.resume(ThreadResumeParams(thread_id=run.thread.id))

    assert resumed.settings.cwd == place.path


async def test_a_directory_that_is_on_neither_machine(work: Any, model: Any, machine: Machine) -> None:
    talk = model([shell("pwd")], "done")
    kit = work(talk, params={"cwd": "/nowhere/at/all"})

    if machine.url is None:
        with pytest.raises(Exception, match=r"^working directory /nowhere/at/all does not exist"):
            await kit.turn("go")
    else:
        await kit.turn("go")
        assert "No such file or directory (os error 2)" in talk.output("c")


async def test_an_interrupted_turn_leaves_a_machine_that_works(work: Any, model: Any, place: Place) -> None:
    talk = model(
        [shell("echo up > up; sleep 60", yield_time_ms=30_000)], [{**shell("echo again"), "call_id": "d"}], "done"
    )
    kit = work(talk)
    thread = await (await kit.opened()).thread()
    turning = asyncio.create_task(kit.turn("go"))
    async with asyncio.timeout(20):
        await place.run("while [ ! -e up ]; do sleep 0.02; done")

    await thread.interrupt()
    await turning
    await kit.turn("again")

    assert talk.output("d").endswith("again\n")


async def test_requests_are_made_from_there(place: Place, machine: Machine) -> None:
    from codex_testkit.servers.web import web_server
    from codex_testkit.suites.http import Site

    async with web_server(Site()) as url:
        if machine.way == "0118":
            with pytest.raises(Exception, match=r"^this exec-server can't make HTTP requests$"):
                await place.environment.http.send(HttpRequest(url=f"{url}/pieces"))
        elif (await place.run("readlink /proc/self/ns/net")).strip() != _own_network():
            with pytest.raises(Exception, match=r"^http/request failed: error sending request for url"):
                await place.environment.http.send(HttpRequest(url=f"{url}/pieces"))
        else:
            async with aclosing(await place.environment.http.send(HttpRequest(url=f"{url}/pieces"))) as response:
                assert await response.read() == b"abcdef"


def _own_network() -> str:
    return os.readlink("/proc/self/ns/net") if os.path.exists("/proc/self/ns/net") else ""


async def test_hook_scripts_run_on_this_machine(work: Any, model: Any, place: Place, tmp_path: Path) -> None:
    script = f"{{ cat; pwd; }} > {tmp_path}/heard"
    hooks = {"hooks": {"UserPromptSubmit": [{"hooks": [{"type": "command", "command": script}]}]}}
    (tmp_path / "home").mkdir()
    (tmp_path / "home/hooks.json").write_text(json.dumps(hooks))

    await work(model("done"), hooks_command, config={"bypass_hook_trust": True, "features.hooks": True}).turn("go")

    told, folder = (tmp_path / "heard").read_text().rsplit("}", 1)
    assert json.loads(told + "}")["cwd"] == place.path
    assert folder.strip() == (place.path if os.path.isdir(place.path) else str(tmp_path / "project"))
