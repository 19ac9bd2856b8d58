"""Find the rules files of configuration folders, and add what a user allows to their own."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Iterable, Sequence
from typing import BinaryIO, NamedTuple, cast

from codex_execpolicy.rules.matching import RuleBook
from codex_hookspecs.errors import ConfigError
from codex_hookspecs.state_file import make_private

FOLDER = "rules"
ENDING = ".rules"
OWN_FILE = "default.rules"
_MOST_BYTES = 4_000_001
"""More than any file of rules may have."""
_REMEDY = "make it readable or move it away"
_TRIES, _PAUSE = 50, 0.01
"""How often, and after how many seconds, a lock is tried that others take for writing one line."""


class RuleFolder(NamedTuple):
    """A configuration folder whose rules count.

    :param tightens: only rules that forbid or ask do.
    :param links_tighten: so they do in a file that is a link.
    """

    path: str
    tightens: bool = False
    links_tighten: bool = False


def load_rules(folders: Iterable[RuleFolder]) -> RuleBook | None:
    """Return the rules of configuration folders, later ones added to earlier ones; ``None`` when no folder has any.

    :param folders: those whose files count, lowest precedence first.
    :raises ConfigError: when any of their files can't be used, as what it would have forbidden must not run.
    """
    book: RuleBook | None = None
    for folder in folders:
        for path in _files(f"{folder.path}/{FOLDER}"):
            found = read_file(path)
            book = book or RuleBook()
            tightens = folder.tightens or (folder.links_tighten and os.path.islink(path))
            book.update(found.tightening() if tightens else found)
    return book


def append_allowed(home: str, prefix: Sequence[str]) -> None:
    """Add a rule that allows a command prefix to the user's own file, unless it is there.

    :param home: ``$CODEX_HOME``.
    :raises OSError: when the file can't be written.
    :raises ConfigError: when it could not be used with that rule.
    """
    line = f'prefix_rule(pattern={json.dumps(list(prefix), ensure_ascii=False)}, decision="allow")'
    path = f"{home}/{FOLDER}/{OWN_FILE}"
    make_private(f"{home}/{FOLDER}")
    with _opened(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, "a+b") as file:
        if os.name == "posix":
            _lock(file.fileno())
        file.seek(0)
        data = file.read(_MOST_BYTES)
        text = _text(data, path)
        if line in text.split("\n"):
            return
        added = f"{'' if not text or text.endswith(chr(10)) else chr(10)}{line}\n"
        try:
            more = added.encode()
        except UnicodeEncodeError as error:
            raise ConfigError("the command is not text that a file can hold", source=path) from error
        _read(text + added, path)
        try:
            file.write(more)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            file.truncate(len(data))
            raise


def _lock(descriptor: int) -> None:
    import fcntl
    import time

    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE)
        else:
            return
    raise OSError(errno.EWOULDBLOCK, "another program has locked it")


def _files(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.path for entry in entries if entry.name.endswith(ENDING))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"can't be read: {error.strerror or error}; {_REMEDY}", source=folder) from error


def read_file(path: str) -> RuleBook:
    """Return the rules of a file.

    :raises ConfigError: when it can't be used.
    """
    try:
        with _opened(path, os.O_RDONLY, "rb") as file:
            data = file.read(_MOST_BYTES)
    except OSError as error:
        raise ConfigError(f"can't be read: {error.strerror or error}; {_REMEDY}", source=path) from error
    return _read(_text(data, path), path)


def _opened(path: str, flags: int, mode: str) -> BinaryIO:
    """Open a regular file; nothing else is waited for."""
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0), 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file")
    return cast(BinaryIO, open(descriptor, mode))


def _text(data: bytes, path: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"is not UTF-8 (byte {error.start})", source=f"{path}:{line}") from error


def _read(text: str, path: str) -> RuleBook:
    from codex_execpolicy.rules.starlark import read_rules

    return read_rules(text, path)
