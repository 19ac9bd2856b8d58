"""``codex exec`` with an app-server elsewhere, as real processes over sockets."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from codex_app_server.methods import methods
from codex_app_server.remote.server import RemoteAppServer
from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import AgentMessage, ItemCompleted, OtherNotification, ThreadStartParams
from codex_hookspecs.surface import RemoteAddress

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

    from codex_app_server.remote.client import RemoteClient

LIMIT = 60.0
CODEX = (sys.executable, "-m", "codex_host")
TOKEN = "a-token"
PIXEL = b"\x89PNG\r\n\x1a\n"


class Places:
    """A server with its home and working directory, and another home for its clients."""

    def __init__(self, folder: Path) -> None:
        self.work, self.home, self.here = folder / "work", folder / "server", folder / "client"
        for each in (self.work, self.home, self.here):
            each.mkdir()
        (self.work / ".git").mkdir()
        (self.work / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
        (self.home / "token").write_text(TOKEN)
        (self.home / "script.json").write_text(json.dumps([[{"say": "from afar"}]]))
        (self.home / "config.toml").write_text(
            'model_provider = "scripted"\n[model_providers.scripted]\nscript = "script.json"\n'
        )
        self.processes: list[subprocess.Popen[bytes]] = []
        self.url = ""

    def environment(self, home: Path) -> dict[str, str]:
        return {"CODEX_HOME": str(home), "HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin", "TOKEN": TOKEN}

    def start(self, *options: str) -> None:
        process = subprocess.Popen(
            [*CODEX, "app-server", "--listen", "ws://127.0.0.1:0", *options],
            cwd=self.work,
            env=self.environment(self.home),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self.processes.append(process)
        assert process.stderr is not None
        for line in process.stderr:
            if found := re.search(rb"listening on: (ws://\S+)", line):
                self.url = found[1].decode()
                return
        raise AssertionError("the server did not start")

    def run(self, *arguments: str, remote: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*CODEX, "--remote", self.url if remote is None else remote, *arguments],
            cwd=self.here,
            env=self.environment(self.here),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Places]:
    made = Places(tmp_path)
    yield made
    for process in made.processes:
        process.kill()
        process.communicate()


def test_a_turn_runs_where_the_server_is(places: Places) -> None:
    places.start()

    done = places.run("exec", "go")

    assert (done.returncode, done.stdout) == (0, "from afar\n")
    assert f"workdir: {places.work}\n" in done.stderr
    assert list(places.home.glob("sessions/**/*.jsonl"))
    assert not list(places.here.glob("sessions/**/*.jsonl"))


def test_a_thread_is_resumed_where_the_server_is(places: Places) -> None:
    places.start()
    first = json.loads(places.run("exec", "--json", "go").stdout.splitlines()[0])

    last = places.run("exec", "--json", "resume", "--last", "more")
    by_id = places.run("exec", "--json", "resume", first["thread_id"], "more")

    for done in (last, by_id):
        assert json.loads(done.stdout.splitlines()[0]) == first
        assert done.returncode == 0


@pytest.mark.parametrize("options", [["--json"], []])
def test_a_turn_whose_server_was_killed_has_failed_and_says_how_to_go_on(places: Places, options: list[str]) -> None:
    (places.home / "script.json").write_text(json.dumps([[{"sh": "echo $$ > started; exec sleep 60"}]]))
    places.start()
    client = subprocess.Popen(
        [*CODEX, "--remote", places.url, "-s", "danger-full-access", "exec", *options, "go"],
        cwd=places.here,
        env=places.environment(places.here),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    places.processes.append(client)
    started = places.work / "started"
    for _ in range(int(LIMIT) * 10):
        if started.exists() or client.poll() is not None:
            break
        time.sleep(0.1)
    places.processes[0].kill()
    out, err = client.communicate(timeout=LIMIT)

    [thread] = [path.stem[-36:] for path in places.home.glob("sessions/**/*.jsonl")]
    reason = f"the connection to the app-server at {places.url} was lost: "
    assert client.returncode == 1
    assert f"to go on, when the server is there again: codex exec resume {thread}\n" in err
    if options:
        error, failed = [json.loads(line) for line in out.splitlines()[-2:]]
        assert (error["type"], failed["type"]) == ("error", "turn.failed")
        assert error["message"].startswith(reason)
        assert failed["error"]["message"] == error["message"]
    else:
        assert err.count(reason) == 1


def test_a_directory_of_the_server_is_checked_there(places: Places, tmp_path: Path) -> None:
    places.start()
    plain = tmp_path / "plain"
    plain.mkdir()

    refused = places.run("-C", str(plain), "exec", "go")
    allowed = places.run("-C", str(plain), "exec", "--skip-git-repo-check", "go")
    inner = places.run("-C", str(places.work), "exec", "go")
    relative = places.run("-C", "work", "exec", "go")

    said = "Not inside a trusted directory and --skip-git-repo-check was not specified."
    assert (refused.returncode, refused.stderr.splitlines()[-1]) == (1, said)
    assert f"workdir: {plain}\n" in allowed.stderr
    assert inner.returncode == 0
    assert relative.returncode == 1
    assert "-C work: with --remote the directory is one of the server" in relative.stderr


def test_an_added_directory_is_one_of_the_server_and_never_of_its_root(places: Places) -> None:
    places.start()
    options = ("exec", "-s", "workspace-write")

    for given in (".", "srv"):
        refused = places.run("--add-dir", given, *options, "go")
        assert refused.returncode == 1
        assert refused.stderr.splitlines()[-1] == (
            f"Error: --add-dir {given}: with --remote the directory is one of the server's; "
            "give it as an absolute path, or give -C"
        )
    setting = f"sandbox_workspace_write.writable_roots={json.dumps(['srv'])}"
    assert "allowed are absolute paths" in places.run("-c", setting, *options, "go").stderr
    absolute = places.run("--add-dir", "/srv", *options, "go")
    below = places.run("-C", str(places.work), "--add-dir", "srv", *options, "go")

    assert "/srv]" in re.findall("sandbox: .*", absolute.stderr)[0].replace(", ", " ").split("[")[-1]
    assert f"{places.work}/srv" in re.findall("sandbox: .*", below.stderr)[0]


def test_warnings_of_the_server_are_shown_once(places: Places) -> None:
    (places.work / ".codex").mkdir()
    (places.work / ".codex" / "config.toml").write_text('model = "other"\n')
    with (places.home / "config.toml").open("a") as config:
        config.write('[model_providers.x]\nbase_ulr = "http://x"\n')
    places.start()

    shown = places.run("-C", str(places.work), "exec", "go").stderr

    assert shown.count("config.toml does not count") == 1
    assert shown.count("did you mean") == 1


def test_settings_of_the_command_line_reach_the_server(places: Places) -> None:
    places.start()

    done = places.run("-c", "model_reasoning_effort=high", "exec", "-m", "some-model", "-s", "workspace-write", "go")

    assert "model: some-model\n" in done.stderr
    assert "reasoning effort: high\n" in done.stderr
    assert "sandbox: workspace-write" in done.stderr


def test_an_image_of_this_machine_is_sent_whole(places: Places) -> None:
    places.start()
    (places.here / "a.png").write_bytes(PIXEL)

    done = places.run("exec", "-i", "a.png", "--", "go")

    assert done.returncode == 0, done.stderr
    (file,) = places.home.glob("sessions/**/*.jsonl")
    assert f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}" in file.read_text()


def test_a_token_is_taken_from_the_environment(places: Places) -> None:
    places.start("--ws-auth", "capability-token", "--ws-token-file", str(places.home / "token"))

    without = places.run("exec", "go")
    wrong = places.run("--remote-auth-token-env", "HOME", "exec", "go")
    right = places.run("--remote-auth-token-env", "TOKEN", "exec", "go")

    refused = f"Error: the app-server at {places.url} refused the connection: HTTP 401"
    assert (without.returncode, without.stderr.splitlines()[-1]) == (1, f"{refused}: missing websocket bearer token")
    assert (wrong.returncode, wrong.stderr.splitlines()[-1]) == (1, f"{refused}: invalid websocket bearer token")
    assert (right.returncode, right.stdout) == (0, "from afar\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--remote", "http://x:1", "exec", "go"], "invalid remote address `http://x:1`; expected `ws://host:port`"),
        (["--remote", "ws://localhost", "exec", "go"], "invalid remote address `ws://localhost`"),
        (["--remote", "ws://localhost:0", "exec", "go"], "invalid remote address `ws://localhost:0`"),
        (["--remote", "ws://u:p@localhost:1", "exec", "go"], "invalid remote address"),
        (["--remote", "ws://localhost:1/path", "exec", "go"], "invalid remote address"),
        (["--remote-auth-token-env", "TOKEN", "exec", "go"], "`--remote-auth-token-env` requires `--remote`."),
        (
            ["--remote", "ws://10.0.0.1:1", "--remote-auth-token-env", "TOKEN", "exec", "go"],
            "remote auth tokens require `wss://` or loopback `ws://` URLs; got `ws://10.0.0.1:1`",
        ),
        (
            ["--remote", "ws://127.0.0.1:1", "--remote-auth-token-env", "NONE", "exec", "go"],
            "environment variable `NONE` is not set",
        ),
        (["--remote", "ws://127.0.0.1:1", "app-server"], "is not supported for `codex app-server`"),
        (["--remote", "ws://127.0.0.1:1", "features", "list"], "is not supported for `codex features`"),
        (["--remote", "ws://127.0.0.1:1", "exec", "go"], "at ws://127.0.0.1:1: Connection refused"),
        (["--remote", "unix:///none", "exec", "go"], "at unix:///none: No such file or directory"),
        (["--remote", "unix://", "exec", "go"], "/client/app-server-control/app-server-control.sock: No such file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_server_that_cannot_be_used_is_told(places: Places, arguments: list[str], said: str) -> None:
    done = subprocess.run(
        [*CODEX, *arguments],
        cwd=places.here,
        env=places.environment(places.here),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("Error: ")
    assert said in done.stderr


@asynccontextmanager
async def talking(play: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[RemoteClient]:
    """Connect to a server that plays its part after the handshake."""

    async def handle(link: ServerConnection) -> None:
        hello = json.loads(await link.recv())
        await link.send(json.dumps({"id": hello["id"], "result": {"userAgent": "x/1"}}))
        assert json.loads(await link.recv()) == {"method": "initialized"}
        await play(link)

    async with serve(handle, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        host: Any = SimpleNamespace(codex_home="/none", rpc_methods=methods)
        remote = RemoteAppServer(host, RemoteAddress(url=f"ws://127.0.0.1:{port}"))
        client = await remote.connect(client_name="test", client_version="1", session_source="exec")
        try:
            async with asyncio.timeout(LIMIT):
                yield client
        finally:
            await remote.aclose()


@pytest.mark.anyio
async def test_notifications_have_their_types() -> None:
    item = {"type": "agentMessage", "id": "i", "text": "hi", "phase": None}
    completed = {"threadId": "t", "turnId": "u", "item": item, "completedAtMs": 1}

    async def play(link: ServerConnection) -> None:
        await link.send(json.dumps({"method": "item/completed", "params": completed}))
        await link.send(json.dumps({"method": "item/completed", "params": {"other": "shape"}}))
        await link.send(json.dumps({"method": "made/up", "params": {"a": 1}}))
        await link.close()

    kept: list[Any] = []
    async with talking(play) as client:
        with pytest.raises(RpcError, match=r"was lost: the server closed it \(1000\)$"):
            await keep(client.notifications(), kept)

    first, second, third = kept
    assert isinstance(first, ItemCompleted)
    assert isinstance(first.item, AgentMessage)
    assert first.item.text == "hi"
    assert second == OtherNotification(method="item/completed", params={"other": "shape"})
    assert third == OtherNotification(method="made/up", params={"a": 1})


async def keep(source: AsyncIterator[Any], kept: list[Any]) -> None:
    """Keep what comes, also when it ends with an error."""
    async for each in source:
        kept.append(each)  # noqa: PERF401


@pytest.mark.anyio
async def test_a_lost_connection_is_one_error_for_whoever_waits() -> None:
    async def play(link: ServerConnection) -> None:
        await link.recv()
        await link.recv()
        link.transport.abort()

    async with talking(play) as client:
        waiting = [client.request("thread/list", {}), client.request("thread/start", ThreadStartParams())]
        lost = await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(RpcError, match="was lost"):
            await client.request("thread/list", {})

    assert all(isinstance(each, RpcError) and "was lost: it is gone" in each.message for each in lost)


@pytest.mark.anyio
async def test_an_answer_of_another_shape_is_an_error() -> None:
    async def play(link: ServerConnection) -> None:
        question = json.loads(await link.recv())
        await link.send(json.dumps({"id": question["id"], "result": {"thread": 5}}))
        await link.recv()

    async with talking(play) as client:
        with pytest.raises(RpcError, match="the server's answer to thread/start is not understood"):
            await client.request("thread/start", ThreadStartParams())


@pytest.mark.anyio
@pytest.mark.parametrize("handled", [True, False])
async def test_questions_of_the_server_are_answered(handled: bool) -> None:
    answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    asked = asyncio.Event()

    async def play(link: ServerConnection) -> None:
        await asked.wait()
        await link.send(json.dumps({"id": "q", "method": "item/tool/requestUserInput", "params": {"n": 1}}))
        answered.set_result(json.loads(await link.recv()))

    async def answer(method: str, params: Any) -> Any:
        return {"method": method, **params}

    async with talking(play) as client:
        client.set_request_handler(answer if handled else None)
        asked.set()
        got = await answered

    if handled:
        assert got == {"id": "q", "result": {"method": "item/tool/requestUserInput", "n": 1}}
    else:
        assert got["error"]["message"] == "test answers no requests such as item/tool/requestUserInput"


@pytest.mark.anyio
async def test_a_server_that_speaks_otherwise_is_left() -> None:
    async def play(link: ServerConnection) -> None:
        await link.recv()
        await link.send("no JSON")
        await link.wait_closed()

    async with talking(play) as client:
        with pytest.raises(RpcError, match="the server sent an invalid message"):
            await client.request("thread/list", {})
