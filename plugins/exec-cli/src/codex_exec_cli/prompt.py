"""Read the prompt from the arguments, from standard input, or from both."""

from __future__ import annotations

import asyncio
import codecs
import os
import select
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar, cast

T = TypeVar("T")

NO_PROMPT: Final = "No prompt provided. Either specify one as an argument or pipe the prompt into stdin."
EMPTY_STDIN: Final = "No prompt provided via stdin."
READING_PROMPT: Final = "Reading prompt from stdin..."
READING_MORE: Final = "Reading additional input from stdin..."
STDIN_LEFT_OPEN: Final = (
    "Standard input is open but silent; going on without waiting for its end (close it with </dev/null, "
    "or give the prompt as `-` to have all of it read)."
)

SILENCE_SECONDS: Final = 10.0
"""Seconds without input after which stdin counts as complete if only ancestors of this process can write to it."""

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class PromptError(Exception):
    """Raised when there is no usable prompt; the text is shown to the user."""


def resolve_prompt(
    argument: str | None,
    *,
    terminal: bool,
    read: Callable[[], bytes],
    read_more: Callable[[], tuple[bytes, bool]],
    tell: Callable[[str], None],
    append: bool = True,
) -> str:
    """Return the prompt.

    :param argument: prompt of the command line; ``-`` or ``None`` for standard input.
    :param terminal: standard input is a terminal.
    :param read: reads all of standard input.
    :param read_more: reads additional input from standard input, and returns whether it is complete.
    :param tell: shows a line to the user.
    :param append: append standard input to the prompt of the command line.
    :raises PromptError: when there is no prompt, or it is not text.
    """
    if argument is None and terminal:
        raise PromptError(NO_PROMPT)
    if argument is None or argument == "-":
        if argument is None:
            tell(READING_PROMPT)
        text = decode_prompt(read())
        if not text.strip():
            raise PromptError(EMPTY_STDIN)
        return text
    if terminal or not append:
        return argument
    tell(READING_MORE)
    data, complete = read_more()
    if not complete:
        tell(STDIN_LEFT_OPEN)
    text = decode_prompt(data)
    if not text.strip():
        return argument
    end = "" if text.endswith("\n") else "\n"
    return f"{argument}\n\n<stdin>\n{text}{end}</stdin>"


def decode_prompt(data: bytes) -> str:
    """Decode standard input: UTF-8, or the encoding of a byte order mark.

    :raises PromptError: when it can't be decoded.
    """
    encoding, start = "utf-8", 0
    for mark, marked in _BOMS:
        if data.startswith(mark):
            encoding, start = marked, len(mark)
            break
    try:
        return data[start:].decode(encoding)
    except UnicodeDecodeError as error:
        if encoding == "utf-8":
            where = f"invalid byte at offset {error.start + start}"
            hint = "Convert it to UTF-8 and retry (e.g., `iconv -f <ENC> -t UTF-8 prompt.txt`)."
            raise PromptError(
                f"Failed to read prompt from stdin: input is not valid UTF-8 ({where}). {hint}"
            ) from error
        raise PromptError(
            f"Failed to read prompt from stdin: input looks like {encoding.upper()} but could not be decoded; "
            "convert it to UTF-8 and retry."
        ) from error


def read_stdin(descriptor: int = 0) -> bytes:
    """Read standard input to EOF; a closed one is empty."""
    parts = []
    while part := _read(descriptor):
        parts.append(part)
    return b"".join(parts)


def read_optional_stdin(descriptor: int = 0, *, silence: float = SILENCE_SECONDS) -> tuple[bytes, bool]:
    """Read optional standard input to EOF, or until it seems to have been left open by mistake.

    Another command of the same pipeline may be slow to write, but it ends and closes the pipe, so it is waited for. A
    program that started this one and forgot to close its end of the pipe never writes, and there is never EOF.

    :param silence: seconds to wait for input.
    :return: what was read, and whether EOF was reached.
    """
    parts = []
    while _readable(descriptor, silence) or _has_other_writers(descriptor):
        part = _read(descriptor) if _readable(descriptor, 0) else None
        if part is not None:
            parts.append(part)
        if part == b"":
            return b"".join(parts), True
    return b"".join(parts), False


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 20)
    except OSError:
        return b""


def _readable(descriptor: int, seconds: float) -> bool:
    """Return whether a read would not block: there is data, EOF or an error."""
    if not hasattr(select, "poll"):
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _has_other_writers(descriptor: int) -> bool:
    from codex_exec_cli.pipe_writers import has_other_writers

    return has_other_writers(descriptor)


async def run_in_thread(work: Callable[[], T]) -> T:
    """Run a blocking function in a daemon thread, which is abandoned when this is cancelled."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def set_outcome(value: T | None, error: BaseException | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(cast(T, value))

    def work_in_thread() -> None:
        value, failure = None, None
        try:
            value = work()
        except Exception as error:
            failure = error
        with suppress(RuntimeError):  # The loop is closed.
            loop.call_soon_threadsafe(set_outcome, value, failure)

    threading.Thread(target=work_in_thread, name="standard input", daemon=True).start()
    return await result
