"""Files, commands and searches of clients: the answers of the real app-servers and of ours to the same requests.

The texts of the operating system are those of the C library that a program is built with: known ones are translated.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from interop.app_server import AppServer
from interop.clients import OURS, REAL_118, REAL_169, Codex, Stage
from interop.conftest import need

if TYPE_CHECKING:
    from pathlib import Path

    from codex_testkit.servers.responses import ResponsesServer

FULL = {"type": "dangerFullAccess"}
REAL = {"0.118.0": REAL_118, "0.169.0": REAL_169}
TEXTS = {"Symbolic link loop": "Too many levels of symbolic links", "Filename too long": "File name too long"}
NEWER = {
    "0.118.0": {"isSymlink", "watchId", "emittedAtMs"},
    "0.169.0": {"watchId", "emittedAtMs"},
}
"""Members that only one of the two sends: those of newer releases, and the watch's id, which the older one makes."""


def files(ws: Path) -> None:
    os.mkfifo(ws / "pipe")
    (ws / "folder/sub").mkdir(parents=True)
    (ws / "tree/f").mkdir(parents=True)
    (ws / "old").mkdir()
    for name, text in (("a", "hi"), ("folder/f", "x"), ("tree/f/g", "g"), ("old/kept", "o")):
        (ws / name).write_text(text)
    for name, target in (("link", "a"), ("dangling", "gone"), ("linked", "folder"), ("tree/l", "f")):
        (ws / name).symlink_to(target)
    os.mkfifo(ws / "tree/p")


FILES: list[tuple[str, dict[str, Any]]] = [
    *(
        ("fs/readFile", {"path": path})
        for path in ("", "a", "~/a", "file:///a", "$/a", "$/link", "$/dangling", "$/none")
    ),
    *(
        ("fs/readFile", {"path": path})
        for path in ("$/a/b", "$/folder/../a", "/$/a", "$/a\0b", "$/" + "x" * 300, "$/a/")
    ),
    ("fs/readFile", {}),
    ("fs/readFile", {"path": 5}),
    ("fs/readFile", {"path": None}),
    *(
        ("fs/writeFile", {"path": "$/w", "dataBase64": text})
        for text in ("MQ==", "!!", "abc", "YQ=", "YR==", "YQ==\n", "")
    ),
    *(
        ("fs/writeFile", {"path": path, "dataBase64": "YQ=="})
        for path in ("$/no/w", "$/folder", "$/dangling", "$/link")
    ),
    ("fs/writeFile", {"path": "$/w"}),
    ("fs/readFile", {"path": "$/gone"}),
    ("fs/remove", {"path": "$/gone"}),
    *(("fs/createDirectory", {"path": path}) for path in ("$/n1/n2", "$/a", "$/a/x", "$/n1", "$/dangling")),
    *(("fs/createDirectory", {"path": path, "recursive": False}) for path in ("$/m1/m2", "$/m1", "$/m1")),
    ("fs/createDirectory", {"path": "$/q", "recursive": "x"}),
    *(
        ("fs/getMetadata", {"path": path})
        for path in ("$/a", "$/link", "$/dangling", "$/linked", "$/pipe", "/proc", "$/none")
    ),
    *(("fs/readDirectory", {"path": path}) for path in ("$/folder", "$/linked", "$/a", "$/none")),
    ("fs/remove", {"path": "$/dangling"}),
    ("fs/readDirectory", {"path": "$"}),
    ("fs/remove", {"path": "$/none"}),
    ("fs/remove", {"path": "$/none", "force": False}),
    ("fs/remove", {"path": "$/folder", "recursive": False}),
    *(("fs/remove", {"path": path}) for path in ("$/link", "$/linked", "$/pipe", "$/a/zz")),
    ("fs/copy", {"sourcePath": "$/a", "destinationPath": "$/a2"}),
    ("fs/copy", {"sourcePath": "$/tree", "destinationPath": "$/t2"}),
    *(
        ("fs/copy", {"sourcePath": "$/tree", "destinationPath": path, "recursive": True})
        for path in ("$/tree/x", "$/tree", "$/t2", "$/old", "$/a")
    ),
    ("fs/readDirectory", {"path": "$/t2"}),
    ("fs/readDirectory", {"path": "$/old"}),
    ("fs/copy", {"sourcePath": "$/tree/p", "destinationPath": "$/p2"}),
    ("fs/copy", {"sourcePath": "$/tree/l", "destinationPath": "$/l2"}),
    ("fs/copy", {"sourcePath": "$/tree/l", "destinationPath": "$/l2"}),
    *(("fs/copy", {"sourcePath": "$/a", "destinationPath": path}) for path in ("$/old", "$/no/a", "y", "$/tree/l")),
    ("fs/copy", {"sourcePath": "$/a"}),
    ("fs/watch", {"path": "rel", "watchId": "w"}),
    ("fs/watch", {"path": "$/folder/../folder", "watchId": "w"}),
    ("fs/unwatch", {"watchId": "none"}),
    ("fs/unwatch", {}),
]


def command(*argv: str, **params: Any) -> tuple[str, dict[str, Any]]:
    return "command/exec", {"command": list(argv), "sandboxPolicy": FULL, **params}


SIZE = {"rows": 7, "cols": 9}
COMMANDS: list[tuple[str, dict[str, Any]]] = [
    command("sh", "-c", "echo out; echo err >&2; exit 3"),
    command(),
    command(""),
    command("/nonexistent"),
    command("echo", "a\0b"),
    command("pwd", cwd="folder"),
    command("pwd", cwd="$/folder"),
    command("pwd", cwd="$/none"),
    command("sh", "-c", "echo $FOO-$HOME", env={"FOO": "1", "HOME": None}),
    command("sh", "-c", "echo a; sleep 20", timeoutMs=300),
    command("sleep", "1", timeoutMs=0),
    command("sleep", "1", timeoutMs=-5),
    command("true", timeoutMs=5, disableTimeout=True),
    command("sh", "-c", "sleep 0.1; echo x", disableTimeout=True),
    command("true", outputBytesCap=5, disableOutputCap=True),
    command("sh", "-c", "echo 123456789; echo abcdefghij >&2", outputBytesCap=5),
    command("echo", "123", outputBytesCap=0),
    command("sh", "-c", "head -c 3000000 /dev/zero | tr '\\0' x | wc -c", disableOutputCap=True),
    command("true", tty=True),
    command("cat", streamStdin=True),
    command("true", streamStdoutStderr=True),
    command("true", size=SIZE),
    command("true", size={"rows": 0, "cols": 1}, tty=True, processId="p"),
    command("sh", "-c", "echo o; sleep 0.2; echo o2", processId="p", streamStdoutStderr=True),
    command("sh", "-c", "echo 123456789; sleep 0.2; echo 1", processId="p", streamStdoutStderr=True, outputBytesCap=5),
    command("sh", "-c", "stty size; exit 4", processId="p", tty=True, size=SIZE),
    command("sh", "-c", "stty size", processId="p", tty=True),
    command("sh", "-c", "cat; echo done"),
    command("sh", "-c", "echo x > a; ls", sandboxPolicy=None),
    command("sh", "-c", "echo x > b && ls", sandboxPolicy={"type": "workspaceWrite"}),
    command("sh", "-c", "echo x > ../c && ls", sandboxPolicy={"type": "workspaceWrite"}, cwd="folder"),
    command("sh", "-c", "echo x > /etc/not-mine", sandboxPolicy={"type": "workspaceWrite"}),
    command("true", sandboxPolicy={"type": "bad"}),
    ("command/exec", {}),
    ("command/exec", {"command": "x"}),
    ("command/exec/write", {"processId": "none", "deltaBase64": "eA=="}),
    ("command/exec/write", {"processId": "none"}),
    ("command/exec/terminate", {"processId": "none"}),
    ("command/exec/resize", {"processId": "none", "size": SIZE}),
    ("command/exec/resize", {"processId": "none", "size": {"rows": 0, "cols": 1}}),
]

SEARCHES: list[tuple[str, dict[str, Any]]] = [
    *(
        ("fuzzyFileSearch", {"query": query, "roots": ["$/words"]})
        for query in ("abc", "", "src sub", "ABC", "^abc", "rs$", "README", "src/abc", "srab", "FB", "foobr", "cafo",
                      "a\\ r", "!x fo", "日md", "nothing", "f1")
    ),
    ("fuzzyFileSearch", {"query": "abc", "roots": []}),
    ("fuzzyFileSearch", {"query": "abc", "roots": ["words/src"]}),
    ("fuzzyFileSearch", {"query": "abc", "roots": ["$/none", "$/words/src"]}),
    ("fuzzyFileSearch", {"query": "abc", "roots": "x"}),
    ("fuzzyFileSearch/sessionStart", {"sessionId": "", "roots": ["$/words"]}),
    ("fuzzyFileSearch/sessionStart", {"sessionId": "s", "roots": []}),
    ("fuzzyFileSearch/sessionStart", {"sessionId": "s", "roots": ["$/words"]}),
    ("fuzzyFileSearch/sessionStop", {"sessionId": "s"}),
    ("fuzzyFileSearch/sessionStop", {"sessionId": "s"}),
    ("fuzzyFileSearch/sessionUpdate", {"sessionId": "s", "query": "abc"}),
    ("gitDiffToRemote", {"cwd": "$"}),
    ("gitDiffToRemote", {}),
]  # fmt: skip


def words(ws: Path) -> None:
    """Make the files that are searched for, in a repository with ignored files."""
    for name in (
        "src/abc.rs", "src/abcd.rs", "src/sub/abc.txt", "a/b/c", "xabc", "ABC", ".hidden/abc", ".abc", "ign/abc",
        "node_modules/abc", "README.md", "src/a_b_c.py", "zab c", "abc.log", "Cargo/FooBar.rs", "Cargo/foo1.rs",
        "ca/fo_o-b.a r", "日本/語x.md", ".git/HEAD",
    ):  # fmt: skip
        (ws / "words" / name).parent.mkdir(parents=True, exist_ok=True)
        (ws / "words" / name).touch()
    (ws / "words/.gitignore").write_text("ign/\n*.log\n")


def held(codex: Codex, requests: list[tuple[str, dict[str, Any]]], folder: Path, server: ResponsesServer) -> list[Any]:
    """Send the requests one after the other; return each with its answer and the output that came before it."""
    stage = Stage(folder / codex.name, server.url)
    stage.set_up(codex)
    files(stage.ws)
    words(stage.ws)
    found: list[Any] = []
    with AppServer(codex, stage) as client:
        for method, params in requests:
            begin = len(client.messages)
            given = json.loads(
                json.dumps(params, ensure_ascii=False).replace("$/", f"{stage.ws}/").replace('"$"', f'"{stage.ws}"')
            )
            answer = client.answer(client.begin(method, given))
            sent = [
                each["params"] for each in client.messages[begin:] if each.get("method") == "command/exec/outputDelta"
            ]
            output = b"".join(base64.b64decode(each["deltaBase64"]) for each in sent)
            told = {key: answer[key] for key in ("result", "error") if key in answer}
            found.append((method, params, told, output.decode(), [each["capReached"] for each in sent][-1:]))
    text = json.dumps(found, ensure_ascii=False, sort_keys=True).replace(str(stage.ws), "$")
    for theirs, ours in TEXTS.items():
        text = text.replace(theirs, ours)
    return list(json.loads(text))


def plain(value: Any, left_out: set[str]) -> Any:
    """Leave out times, members of one side only, and the order of listings."""
    if isinstance(value, dict):
        return {
            key: plain(member, left_out)
            for key, member in value.items()
            if key not in left_out and not key.endswith("AtMs")
        }
    if isinstance(value, list):
        parts = [plain(part, left_out) for part in value]
        listing = bool(parts) and isinstance(parts[0], dict) and "fileName" in parts[0]
        return sorted(parts, key=json.dumps) if listing else parts
    return value


@pytest.mark.parametrize("release", REAL)
@pytest.mark.parametrize("requests", [FILES, COMMANDS], ids=["files", "commands"])
def test_files_and_commands_are_answered_as_by_the_real_one(
    release: str, requests: list[tuple[str, dict[str, Any]]], folder: Path, server: ResponsesServer
) -> None:
    need(REAL[release].path, f"codex {release}")

    theirs = plain(held(REAL[release], requests, folder, server), NEWER[release])
    ours = plain(held(OURS, requests, folder, server), NEWER[release])

    assert [pair for pair in zip(theirs, ours, strict=True) if pair[0] != pair[1]] == []


def test_searches_are_answered_as_by_the_real_one(folder: Path, server: ResponsesServer) -> None:
    """Later releases count further points, so that only 0.118.0 is compared; ``.git`` is left out by ours."""
    need(REAL_118.path, "codex 0.118.0")

    theirs, ours = (plain(held(codex, SEARCHES, folder, server), set()) for codex in (REAL_118, OURS))

    assert [pair for pair in zip(theirs, ours, strict=True) if pair[0] != pair[1]] == []


def test_what_changed_on_the_remote_is_told_as_by_the_real_one(folder: Path, server: ResponsesServer) -> None:
    from subprocess import run

    need(REAL_118.path, "codex 0.118.0")
    if shutil.which("git") is None:
        pytest.fail("git is not installed")
    found = []
    for codex in (REAL_118, OURS):
        stage = Stage(folder / codex.name, server.url)
        stage.set_up(codex)
        env = {"GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z"}
        for line in (
            "checkout -q -B main", "init -q --bare origin.git", "add file", "commit -qm 1",
            "remote add origin origin.git",
            "push -q -u origin main",
        ):  # fmt: skip
            (stage.ws / "file").write_text("one\n")
            argv = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *line.split()]
            run(argv, cwd=stage.ws, check=True, env={**os.environ, **env})
        shutil.move(stage.ws / "origin.git", folder / f"origin-{codex.name}.git")
        (stage.ws / "file").write_text("one\ntwo\n")
        (stage.ws / "new").write_text("n\n")
        (stage.ws / "bytes").write_bytes(b"\0\1\2")
        with AppServer(codex, stage) as client:
            found.append(client.request("gitDiffToRemote", cwd=str(stage.ws)))

    assert found[0] == found[1]
    assert "+two" in found[1]["diff"]
