"""Find the rules files of configuration folders, and add what a user allows to their own."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Sequence

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.exec_rules.rules import RuleBook

FOLDER = "rules"
ENDING = ".rules"
OWN_FILE = "default.rules"
_TRIES, _PAUSE = 50, 0.01
"""How often, and after how many seconds, a lock is tried that others hold for one line's time."""


def load_rules(folders: Iterable[str]) -> tuple[RuleBook, list[str]]:
    """Return the rules of configuration folders, later ones added to earlier ones, and what is wrong with files.

    A file that can't be used is left out as a whole; the others count.

    :param folders: those whose files count, lowest precedence first.
    """
    book, problems = RuleBook(), []
    for folder in folders:
        try:
            paths = _files(f"{folder}/{FOLDER}")
        except OSError as error:
            problems.append(f"rules in {folder}/{FOLDER} can't be read, so none of them counts: {error.strerror}")
            continue
        for path in paths:
            try:
                book.update(read_file(path))
            except ConfigError as error:
                problems.append(f"{error}; no rule of this file counts")
    return book, problems


def append_allowed(home: str, prefix: Sequence[str]) -> None:
    """Add a rule that allows a beginning of commands to the user's own file, unless it is there.

    :param home: ``$CODEX_HOME``.
    :raises OSError: when the file can't be written.
    """
    line = f'prefix_rule(pattern={json.dumps(list(prefix), ensure_ascii=False)}, decision="allow")'
    os.makedirs(f"{home}/{FOLDER}", exist_ok=True)
    with open(f"{home}/{FOLDER}/{OWN_FILE}", "a+", encoding="utf-8", errors="surrogateescape", newline="") as file:
        if os.name == "posix":
            _lock(file.fileno())
        file.seek(0)
        text = file.read()
        if line in text.split("\n"):
            return
        file.write(f"{'' if not text or text.endswith(chr(10)) else chr(10)}{line}\n")
        file.flush()
        os.fsync(file.fileno())


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
            return sorted(entry.path for entry in entries if entry.name.endswith(ENDING) and entry.is_file())
    except (FileNotFoundError, NotADirectoryError):
        return []


def read_file(path: str) -> RuleBook:
    """Return the rules of a file.

    :raises ConfigError: when it can't be used.
    """
    from codex_hookspecs.exec_rules.reading import read_rules

    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise ConfigError(f"can't be read: {error.strerror or error}", source=path) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"is not UTF-8 (byte {error.start})", source=path) from error
    return read_rules(text, path)
