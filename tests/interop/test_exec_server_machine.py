"""Facts, HTTP and sandboxes of exec-servers (§6 and §7 of the protocol)."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from interop.exec_server import ABSENT, b64, client, unb64, uri

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interop.exec_server import Message, Server, Wire

STREAM = [b"one ", b"two ", b"three"]


class Answers(BaseHTTPRequestHandler):
    """Tell what was asked, or do what the path says."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def reply(self, body: bytes, status: int = 200, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        match self.path.split("?")[0]:
            case "/echo":
                told = {
                    "method": self.command,
                    "path": self.path,
                    "headers": [[name.lower(), value] for name, value in self.headers.items()],
                    "body": b64(body),
                }
                self.reply(json.dumps(told).encode())
            case "/many":
                self.reply(b"x", 200, ("X-Twice", "a"), ("X-Other", "o"), ("X-Twice", "b"))
            case "/away":
                self.reply(b"moved", 302, ("Location", "/echo"))
            case "/loop":
                self.reply(b"moved", 302, ("Location", "/loop"))
            case "/slow":
                time.sleep(1.5)
                self.reply(b"late")
            case "/binary":
                self.reply(bytes(range(256)))
            case "/stream":
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                for part in STREAM:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                    time.sleep(0.1)
                self.wfile.write(b"0\r\n\r\n")
            case "/cut":
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"part")
                self.close_connection = True
            case _:
                self.reply(b"not here", 404)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_ODD = answer  # noqa: N815


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    """The address of a web server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


async def request(one: Wire, url: str, method: str = "GET", ident: str = "r", **more: Any) -> Message:
    found: Message = await one.call("http/request", {"method": method, "url": url, "requestId": ident, **more})
    return found


async def echoed(one: Wire, url: str, method: str = "GET", **more: Any) -> Message:
    told: Message = json.loads(unb64((await request(one, f"{url}/echo", method, **more))["bodyBase64"]))
    return told


@pytest.mark.parametrize("params", [ABSENT, None])
async def test_facts(served: Server, params: Any) -> None:
    async with client(served.url) as one:
        found = await one.call("environment/info", params)

        assert found["shell"] == {"name": "bash", "path": "/bin/bash"}
        assert found["cwd"] == uri(os.getcwd())
        assert found["userHomeDir"] == uri(os.environ["HOME"])
        assert found["platformOs"] == "linux"
        assert found["tempDir"] == "file:///tmp"
        assert isinstance(found["executorVersion"], str)
        for name in ("prependPathDirs", "temporaryDirectories"):
            assert isinstance(found[name], list)
        assert {type(able) for able in found["capabilities"].values()} == {bool}
        assert found["capabilities"]["fsWatchMissing"] is True


async def test_the_status_is_ready(served: Server) -> None:
    async with client(served.url) as one:
        assert await one.call("environment/status") == {"status": "ready"}


async def test_configuration_of_the_machine(served: Server, folder: Path) -> None:
    async with client(served.url) as one:
        found = await one.call(
            "environmentConfig/read",
            {"cwd": uri(folder), "configPaths": [["no_such_key"]], "requirementsPaths": [["no_such_key"]]},
        )

        assert set(found) >= {"userHomeDir", "codexHomeDir", "hostname", "config", "requirements"}
        assert found["hostname"] == socket.gethostname()
        assert found["config"] == found["requirements"] == {"layers": [], "cloudInsertionIndex": 0}


async def test_capabilities_of_an_empty_directory(served: Server, folder: Path) -> None:
    async with client(served.url) as one:
        found = await one.call("capabilities/discoverV2", {"cwd": uri(folder)})

        assert {key: found[key] for key in ("plugins", "skills", "warnings")} == {
            "plugins": [],
            "skills": [],
            "warnings": [],
        }


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "ODD"])
async def test_requests_are_made_as_told(served: Server, web: str, method: str) -> None:
    body = bytes(range(256))
    headers = [{"name": "X-One", "value": "1"}, {"name": "x-two", "value": "a"}, {"name": "X-Two", "value": "b"}]
    async with client(served.url) as one:
        told = await echoed(one, web, method, headers=headers, bodyBase64=b64(body))

        assert (told["method"], unb64(told["body"])) == (method, body)
        assert [value for name, value in told["headers"] if name in ("x-one", "x-two")] == ["1", "a", "b"]


async def test_a_query_stays_as_it_is(served: Server, web: str) -> None:
    async with client(served.url) as one:
        found = await request(one, f"{web}/echo?a=1&b=%20%2F&a=2")

        assert json.loads(unb64(found["bodyBase64"]))["path"] == "/echo?a=1&b=%20%2F&a=2"


async def test_an_answer_has_status_headers_and_body(served: Server, web: str) -> None:
    async with client(served.url) as one:
        found = await request(one, f"{web}/many")
        assert set(found) == {"status", "headers", "bodyBase64"}
        assert (found["status"], found["bodyBase64"]) == (200, b64("x"))
        named = [(header["name"], header["value"]) for header in found["headers"] if header["name"].startswith("x-")]
        assert [value for name, value in named if name == "x-twice"] == ["a", "b"]
        assert ("x-other", "o") in named
        assert unb64((await request(one, f"{web}/binary"))["bodyBase64"]) == bytes(range(256))
        assert (await request(one, f"{web}/many", "HEAD"))["bodyBase64"] == ""


async def test_an_http_error_is_a_result(served: Server, web: str) -> None:
    async with client(served.url) as one:
        found = await request(one, f"{web}/none")

        assert (found["status"], unb64(found["bodyBase64"])) == (404, b"not here")


async def test_redirects_are_followed_unless_told_to_stop(served: Server, web: str) -> None:
    async with client(served.url) as one:
        for more in ({}, {"redirectPolicy": "follow"}):
            assert (await request(one, f"{web}/away", **more))["status"] == 200
        found = await request(one, f"{web}/away", redirectPolicy="stop")
        assert (found["status"], unb64(found["bodyBase64"])) == (302, b"moved")
        code, _ = await one.fault("http/request", {"method": "GET", "url": f"{web}/loop", "requestId": "l"})
        assert code == -32603


@pytest.mark.parametrize(
    "more",
    [
        {"method": "BAD METHOD"},
        {"method": ""},
        {"url": "nonsense"},
        {"url": "ftp://127.0.0.1/"},
        {"url": "http://"},
        {"headers": [{"name": "bad name", "value": "x"}]},
        {"headers": [{"name": "x", "value": "a\nb"}]},
        {"headers": [{"name": "x"}]},
        {"bodyBase64": "!"},
        {"redirectPolicy": "sometimes"},
        {"timeoutMs": -1},
    ],
    ids=str,
)
async def test_bad_requests_are_not_made(served: Server, more: Message) -> None:
    params = {"method": "GET", "url": "http://127.0.0.1:9/", "requestId": "r", **more}
    async with client(served.url) as one:
        assert (await one.fault("http/request", params))[0] == -32602


async def test_a_refused_or_late_request_fails_in_these_words(served: Server, web: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        async with client(served.url) as one:
            url = f"http://127.0.0.1:{port}/x"
            assert await one.fault("http/request", {"method": "GET", "url": url, "requestId": "r"}) == (
                -32603,
                f"http/request failed: error sending request for url ({url})",
            )
            params = {"method": "GET", "url": f"{web}/slow", "requestId": "s", "timeoutMs": 200}
            code, text = await one.fault("http/request", params)
            assert code == -32603
            assert text == f"http/request failed: error sending request for url ({web}/slow)"


async def test_a_body_can_be_streamed(served: Server, web: str) -> None:
    async with client(served.url) as one:
        found = await request(one, f"{web}/stream", streamResponse=True)
        assert (found["status"], found["bodyBase64"]) == (200, "")
        await one.until(lambda each: each.get("method") == "http/request/bodyDelta" and each["params"]["done"])

        deltas = [message["params"] for message in one.seen if message.get("method") == "http/request/bodyDelta"]
        assert [delta["seq"] for delta in deltas] == list(range(1, len(deltas) + 1))
        assert b"".join(unb64(delta["deltaBase64"]) for delta in deltas) == b"".join(STREAM)
        assert len(deltas) > len(STREAM)
        assert [delta["done"] for delta in deltas] == [False] * (len(deltas) - 1) + [True]
        assert {delta["requestId"] for delta in deltas} == {"r"}
        assert {delta["error"] for delta in deltas} == {None}
        where = [message.get("id", message.get("method")) for message in one.seen]
        assert where.index("http/request/bodyDelta") > where.index(2)


async def test_a_stream_that_breaks_off_says_so(served: Server, web: str) -> None:
    async with client(served.url) as one:
        await request(one, f"{web}/cut", streamResponse=True)
        last = await one.until(lambda each: each.get("method") == "http/request/bodyDelta" and each["params"]["done"])

        assert isinstance(last["params"]["error"], str)


async def test_the_id_of_an_open_stream_is_taken(served: Server, web: str) -> None:
    async with client(served.url) as one:
        await request(one, f"{web}/stream", ident="s", streamResponse=True)
        params = {"method": "GET", "url": f"{web}/stream", "requestId": "s", "streamResponse": True}
        assert (await one.fault("http/request", params))[0] == -32602
        await one.until(lambda each: each.get("method") == "http/request/bodyDelta" and each["params"]["done"])

        assert (await request(one, f"{web}/stream", ident="s", streamResponse=True))["status"] == 200


def special(kind: str, access: str, **more: Any) -> Message:
    value = {"kind": kind, **more}
    return {"path": {"type": "special", "value": value}, "access": access}


def sandbox(folder: Path, *writable: str) -> Message:
    """Give what ``--sandbox read-only`` or ``workspace-write`` sends."""
    entries = [special("root", "read"), *(special(kind, "write") for kind in writable)]
    return {
        "permissions": {
            "type": "managed",
            "file_system": {"type": "restricted", "entries": entries},
            "network": "restricted",
        },
        "cwd": uri(folder),
        "workspaceRoots": [uri(folder)],
        "windowsSandboxLevel": "disabled",
        "windowsSandboxProxySettingsMode": "reconcile",
        "useLegacyLandlock": False,
    }


async def test_a_disabled_sandbox_holds_nothing_back(served: Server, folder: Path) -> None:
    async with client(served.url) as one:
        off = {**sandbox(folder), "permissions": {"type": "disabled"}}

        assert (await one.run("p", "touch", str(folder / "x"), sandbox=off))[0] == 0
        assert (folder / "x").exists()


async def test_a_forbidden_write_is_denied(served: Server, folder: Path) -> None:
    async with client(served.url) as one:
        found = await one.start_shell("p", f"touch {folder}/x", sandbox=sandbox(folder), cwd=uri(folder))
        assert found["sandboxType"] == "linuxSeccomp"
        seen = await one.closed("p")
        exited = await one.event("p", "exited")

        assert b"Read-only file system" in b"".join(
            unb64(message["params"]["chunk"]) for message in seen if "chunk" in message["params"]
        )
        assert (exited["exitCode"], exited["sandboxDenied"]) == (1, True)
        assert (await one.call("process/read", {"processId": "p"}))["sandboxDenied"] is True
        assert not (folder / "x").exists()


async def test_an_allowed_write_is_done_and_success_is_never_denied(served: Server, folder: Path) -> None:
    async with client(served.url) as one:
        inside = folder / "inside"
        inside.mkdir()
        script = f"touch {inside}/x; touch {folder}/x; exit 0"
        await one.start_shell("p", script, sandbox=sandbox(inside, "project_roots"), cwd=uri(inside))
        await one.closed("p")
        exited = await one.event("p", "exited")

        assert (exited["exitCode"], exited["sandboxDenied"]) == (0, False)
        assert (inside / "x").exists()
        assert not (folder / "x").exists()


async def test_file_methods_keep_to_a_sandbox(served: Server, folder: Path) -> None:
    (folder / "old").write_text("text")
    async with client(served.url) as one:
        box = sandbox(folder)
        read = await one.call("fs/readFile", {"path": uri(folder / "old"), "sandbox": box})
        assert unb64(read["dataBase64"]) == b"text"
        for method, more in (
            ("writeFile", {"path": uri(folder / "new"), "dataBase64": ""}),
            ("createDirectory", {"path": uri(folder / "new")}),
            ("remove", {"path": uri(folder / "old")}),
        ):
            assert await one.fault(f"fs/{method}", {**more, "sandbox": box}) == (
                -32603,
                "Read-only file system (os error 30)",
            )
        params = {"path": uri(folder / "new"), "dataBase64": b64("x"), "sandbox": sandbox(folder, "project_roots")}
        assert await one.call("fs/writeFile", params) == {}
        assert sorted(os.listdir(folder)) == ["new", "old"]


def rules(folder: Path, *entries: Message) -> Message:
    """Give a sandbox with other rules."""
    box = sandbox(folder)
    box["permissions"]["file_system"]["entries"] = list(entries)
    return box


def named(path: Path, access: str) -> Message:
    return {"path": {"type": "path", "path": uri(path)}, "access": access}


async def test_file_methods_see_no_more_than_the_sandbox(served: Server, folder: Path) -> None:
    project, beside = folder / "project", folder / "beside"
    for each in (project, beside):
        each.mkdir()
        (each / "file").write_text("text")
    (project / "x.env").touch()
    limited = rules(project, special("minimal", "read"), special("project_roots", "read"))
    hidden = rules(project, special("root", "read"), named(beside, "none"))
    pattern = {"path": {"type": "glob_pattern", "pattern": f"{project}/**/*.env"}, "access": "deny"}
    missing, denied = (-32004, "No such file or directory (os error 2)"), (-32600, "Permission denied (os error 13)")
    async with client(served.url) as one:
        read = {"path": uri(project / "file"), "sandbox": limited}
        assert unb64((await one.call("fs/readFile", read))["dataBase64"]) == b"text"
        for method in ("readFile", "getMetadata", "canonicalize"):
            assert await one.fault(f"fs/{method}", {"path": uri(beside / "file"), "sandbox": limited}) == missing
        params = {"handleId": "h", "path": uri(beside / "file"), "sandbox": limited}
        assert await one.fault("fs/open", params) == missing
        assert await one.fault("fs/readFile", {"path": uri(beside / "file"), "sandbox": hidden}) == denied
        box = rules(project, special("root", "read"), special("project_roots", "write"), pattern)
        assert await one.fault("fs/readFile", {"path": uri(project / "x.env"), "sandbox": box}) == denied
        box = rules(project)
        assert await one.fault("fs/readFile", {"path": uri(project / "file"), "sandbox": box}) == missing


async def test_file_methods_write_no_more_than_the_sandbox(served: Server, folder: Path) -> None:
    project, beside = folder / "project", folder / "beside"
    for each in (project, beside, project / "sub", project / ".git"):
        each.mkdir()
    (project / "link").symlink_to(beside)
    box = sandbox(project, "project_roots")
    refused = (-32603, "Read-only file system (os error 30)")
    async with client(served.url) as one:
        for place in (beside / "x", project / "link" / "x", project / ".git" / "x"):
            params = {"path": uri(place), "dataBase64": "", "sandbox": box}
            assert await one.fault("fs/writeFile", params) == refused
        missing = {"path": uri(beside / "missing"), "sandbox": box}
        assert await one.call("fs/remove", missing) == {}
        assert await one.call("fs/remove", {"path": uri(project / "link"), "sandbox": box}) == {}
        params = {"handleId": "w", "path": uri(beside / "x"), "mode": "replace", "sandbox": box}
        assert await one.fault("fs/open", params) == refused
        await one.call("fs/open", {**params, "path": uri(project / "x")})
        assert await one.call("fs/writeBlock", {"handleId": "w", "offset": 2, "chunk": b64("xy")}) == {}
        assert (project / "x").read_bytes() == b"\0\0xy"
        assert await one.call("fs/close", {"handleId": "w"}) == {}
        box = rules(project, special("root", "read"), special("project_roots", "write", subpath="sub"))
        params = {"dataBase64": "", "sandbox": box}
        assert await one.call("fs/writeFile", {"path": uri(project / "sub" / "y"), **params}) == {}
        assert await one.fault("fs/writeFile", {"path": uri(project / "y"), **params}) == refused
        box = rules(project, special("root", "read"), named(beside, "write"))
        assert await one.call("fs/writeFile", {"path": uri(beside / "y"), **params, "sandbox": box}) == {}

    assert os.listdir(beside) == ["y"]
    assert sorted(os.listdir(project)) == [".git", "sub", "x"]


async def test_a_network_can_be_held_back_alone(served: Server, folder: Path, web: str) -> None:
    script = f"exec 3<>/dev/tcp/127.0.0.1/{web.rpartition(':')[2]} || exit 9"
    async with client(served.url) as one:
        for name, permissions in (
            ("external", {"type": "external", "network": "restricted"}),
            ("managed", {"type": "managed", "file_system": {"type": "unrestricted"}, "network": "restricted"}),
        ):
            box = {**sandbox(folder), "permissions": permissions}
            code, _ = await one.run(name, "bash", "-c", f"{script}; touch x", sandbox=box, cwd=uri(folder))
            assert code == 9
            assert (await one.run_shell(f"{name} files", "touch x", sandbox=box, cwd=uri(folder)))[0] == 0


async def test_a_policy_is_about_its_workspace_and_not_about_where_a_process_works(
    served: Server, folder: Path
) -> None:
    workspace, elsewhere = folder / "workspace", folder / "elsewhere"
    workspace.mkdir()
    elsewhere.mkdir()
    box = sandbox(workspace, "project_roots")
    async with client(served.url) as one:
        code, _ = await one.run_shell("p", "touch x", sandbox=box, cwd=uri(elsewhere))
        assert code == 1
        assert (await one.event("p", "exited"))["sandboxDenied"] is True
        assert (await one.run_shell("q", f"touch {workspace}/x", sandbox=box, cwd=uri(elsewhere)))[0] == 0

    assert os.listdir(elsewhere) == []
    assert os.listdir(workspace) == ["x"]


@pytest.mark.parametrize("tty", [False, True], ids=["pipe", "tty"])
async def test_a_sandboxed_process_is_fed_interrupted_and_ended_like_any_other(
    served: Server, folder: Path, tty: bool
) -> None:
    more = {"sandbox": sandbox(folder), "cwd": uri(folder), "tty": tty, "pipeStdin": not tty}
    async with client(served.url) as one:
        await one.start_shell("p", "read x; echo got $x; exit 3", **more)
        await one.call("process/write", {"processId": "p", "chunk": b64("hi\n"), "writeId": "w"})
        await one.printed("p", "got hi")
        assert (await one.event("p", "exited"))["exitCode"] == 3
        await one.closed("p")

        await one.start_shell("q", "echo up; sleep 300", **more)
        await one.printed("q", "up")
        assert await one.call("process/terminate", {"processId": "q"}) == {"running": True}
        await one.closed("q")
        assert (await one.event("q", "exited"))["exitCode"] == (1 if tty else 137)


async def test_a_sandboxed_process_has_no_network(served: Server, folder: Path, web: str) -> None:
    async with client(served.url) as one:
        script = f"exec 3<>/dev/tcp/127.0.0.1/{web.rpartition(':')[2]}"
        assert (await one.run("p", "bash", "-c", script))[0] == 0
        code, _ = await one.run("q", "bash", "-c", script, sandbox=sandbox(folder), cwd=uri(folder))

        assert code == 1


async def test_a_path_that_is_missing_may_be_skipped(served: Server, folder: Path) -> None:
    box = sandbox(folder, "project_roots")
    entry = {**special("project_roots", "read", subpath=".git"), "missing_path_behavior": "skip"}
    box["permissions"]["file_system"]["entries"].append(entry)
    async with client(served.url) as one:
        assert (await one.run_shell("p", "touch x", sandbox=box, cwd=uri(folder)))[0] == 0
        (folder / ".git").mkdir()
        assert (await one.run_shell("q", "touch .git/x", sandbox=box, cwd=uri(folder)))[0] == 1

    assert sorted(os.listdir(folder)) == [".git", "x"]
