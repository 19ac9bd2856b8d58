"""Find the prompt: in the arguments, on standard input, or in both."""

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
LEFT_OPEN: Final = (
    "Standard input is open but silent; going on without waiting for its end (close it with </dev/null, "
    "or give the prompt as `-` to have all of it read)."
)

SILENCE: Final = 10.0
"""Seconds without a byte after which input that nobody but our callers can write counts as finished."""

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class PromptError(Exception):
    """Raised when there is no usable prompt; the text is for people."""


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
    :param read_more: reads what stands there beside a prompt, and tells whether that was all.
    :param tell: shows a line to the user.
    :param append: what stands on standard input goes behind a prompt that was given.
    :raises PromptError: when there is none, or it is no text.
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
        tell(LEFT_OPEN)
    text = decode_prompt(data)
    if not text.strip():
        return argument
    end = "" if text.endswith("\n") else "\n"
    return f"{argument}\n\n<stdin>\n{text}{end}</stdin>"


def decode_prompt(data: bytes) -> str:
    """Decode what stood on standard input: UTF-8, or what a byte order mark says.

    :raises PromptError: when it is not text of that kind.
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
    """Read standard input to its end; a closed one is empty."""
    parts = []
    while part := _read(descriptor):
        parts.append(part)
    return b"".join(parts)


def read_unforced(descriptor: int = 0, *, silence: float = SILENCE) -> tuple[bytes, bool]:
    """Read standard input that nobody asked for: to its end, or until it seems to have been left open by mistake.

    A command of the same pipeline may take its time before it writes: it ends, and with it the input. A program that
    started this one and forgot to close its input never writes and never ends.

    :param silence: how long to wait for a byte, seconds.
    :return: what was read, and whether that was all.
    """
    parts = []
    while _readable(descriptor, silence) or _others_write(descriptor):
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
    """Tell whether a read would not wait: there is data, an end or an error."""
    if not hasattr(select, "poll"):
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


def _others_write(descriptor: int) -> bool:
    from codex_exec_cli.pipe_writers import others_write

    return others_write(descriptor)


async def without_blocking(work: Callable[[], T]) -> T:
    """Run a function that waits for input on a thread of its own; it is left alone when this is cancelled."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(value: T | None, error: BaseException | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(cast(T, value))

    def carry_out() -> None:
        value, failure = None, None
        try:
            value = work()
        except Exception as error:
            failure = error
        with suppress(RuntimeError):  # The loop is gone.
            loop.call_soon_threadsafe(settle, value, failure)

    threading.Thread(target=carry_out, name="standard input", daemon=True).start()
    return await result
