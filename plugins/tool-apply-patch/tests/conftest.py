"""A thread whose environment is a real directory, and which remembers what clients would have been told."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from codex_hookspecs.environments import EnvironmentFacts, FileMetadata
from codex_hookspecs.errors import FileSystemError, ToolRejected
from codex_hookspecs.protocol import ThreadSettings
from codex_hookspecs.sandbox import SandboxPolicy
from codex_hookspecs.tools import PatchApproval, ToolCall
from codex_tool_apply_patch.tool import PatchRunner


class DirectoryFiles:
    """Files of this machine; the first change of a path whose name is in ``refused`` fails."""

    def __init__(self) -> None:
        self.refused: set[str] = set()

    def within(self, scope):
        return self

    async def read_file(self, path, *, limit=None):
        if Path(path).is_dir():
            raise FileSystemError(f"path `{path}` is not a file", path=path)
        return _done(path, lambda file: file.read_bytes()[:limit])

    async def write_file(self, path, data):
        self._check(path)
        _done(path, lambda file: file.write_bytes(data))

    async def create_directory(self, path, *, recursive=True):
        _done(path, lambda file: file.mkdir(parents=recursive, exist_ok=recursive))

    async def metadata(self, path):
        size = _done(path, lambda file: file.stat().st_size)
        return _done(path, lambda file: FileMetadata(is_directory=file.is_dir(), is_file=file.is_file(), size=size))

    async def canonicalize(self, path):
        return _done(path, lambda file: str(file.resolve(strict=True)))

    async def remove(self, path, *, recursive=True, force=True):
        self._check(path)
        _done(path, lambda file: _remove(file, force=force))

    async def copy(self, source, destination, *, recursive=False):
        _done(source, lambda file: shutil.copy(file, destination))

    def _check(self, path):
        name = Path(path).name
        if name in self.refused:
            self.refused.discard(name)
            raise FileSystemError("Permission denied (os error 13)", path=path, errno=13)


def _done(path, action):
    try:
        return action(Path(path))
    except OSError as error:
        text = f"{error.strerror} (os error {error.errno})"
        raise FileSystemError(text, path=path, errno=error.errno) from error


def _remove(file, *, force):
    if file.is_dir() and not file.is_symlink():
        file.rmdir()
    else:
        file.unlink(missing_ok=force)


class Conversation:
    """Plays the thread for one tool; ``told`` has every item state and notification in order."""

    def __init__(self, cwd: Path) -> None:
        self.cwd = cwd
        self.files = DirectoryFiles()
        self.told: list = []
        self.asked: list = []
        self.answer: ToolRejected | None = None
        self.turn_id = "turn-1"
        self.thread = SimpleNamespace(id="thread-1")
        self.runner = PatchRunner()
        self.sandbox(SandboxPolicy("dangerFullAccess"), "never")

    def sandbox(self, policy: SandboxPolicy, approval: str) -> None:
        self.settings = ThreadSettings(
            cwd=str(self.cwd), model="m", model_provider="p", sandbox=policy, approval_policy=approval
        )

    async def environment(self):
        facts = EnvironmentFacts(os="linux", shell="/bin/sh", home="/root", cwd="/", temporary_directory="/nonexistent")

        async def known():
            return facts

        return SimpleNamespace(id="local", remote=False, files=self.files, facts=known)

    async def emit(self, notification):
        self.told.append(notification)

    start_item = complete_item = emit

    async def approve_patch(self, call, request):
        """Refuse what is outside under ``never``, announce the rest and answer."""
        self.asked.append((request.paths, request.outside))
        if request.outside and self.settings.approval_policy == "never":
            raise ToolRejected("outside of the project", kind="forbidden")
        await self.start_item(request.item)
        if self.answer is not None:
            raise self.answer
        return PatchApproval(request.outside)

    async def patch(self, body: str, *, call_id: str = "call-1"):
        """Let the model send a patch with this body."""
        text = f"*** Begin Patch\n{body}\n*** End Patch"
        return await self.call(ToolCall(call_id=call_id, name="apply_patch", kind="custom", arguments=text))

    async def call(self, call: ToolCall):
        return await self.runner.run(call, self)

    def items(self):
        return [told for told in self.told if hasattr(told, "changes")]

    def last_diff(self):
        return [told.diff for told in self.told if hasattr(told, "diff")][-1]


@pytest.fixture
def work(tmp_path):
    """Return the directory that patches are applied in."""
    directory = tmp_path / "work"
    directory.mkdir()
    return directory


@pytest.fixture
def conversation(work):
    """Return a thread that works in ``work`` with full access."""
    return Conversation(work)


@pytest.fixture
def tree(work):
    """Return a function that lists all files and their contents."""

    def list_files():
        return {str(path.relative_to(work)): path.read_bytes() for path in work.rglob("*") if path.is_file()}

    return list_files
