"""Apply the chunks of a patch to the text of a file."""

from __future__ import annotations

from codex_tool_apply_patch.grammar import Chunk, PatchError
from codex_tool_apply_patch.matching import Lines

Replacement = tuple[int, int, list[str]]
"""Index of the first line, number of lines to remove, lines to insert (with line ends)."""


def apply_chunks(content: str, chunks: tuple[Chunk, ...], path: str) -> str:
    """Return ``content`` with all chunks applied.

    Context lines keep their form in the file. New lines get the line end of most lines of the file, and the last line
    of the result always has one. A byte order mark is not part of the first line.

    :param path: path for error messages.
    :raises PatchError: when the lines of a chunk are not found.
    """
    mark = "\ufeff" if content.startswith("\ufeff") else ""
    content = content[len(mark) :]
    whole = content.split("\n")
    if whole[-1] == "":
        whole.pop()
    newline = "\r\n" if content.count("\r\n") * 2 >= max(content.count("\n"), 1) else "\n"
    ended = [line + "\n" for line in whole]
    texts = whole
    if "\r" in content:
        texts = [line.removesuffix("\r") for line in whole]
    if whole and not content.endswith("\n"):
        texts[-1], ended[-1] = whole[-1], whole[-1] + newline
    result: list[str] = []
    done = 0
    for first, removed, inserted in _replacements(texts, ended, chunks, newline, path):
        result += ended[done:first]
        result += inserted
        done = first + removed
    return mark + "".join(result + ended[done:])


def _replacements(
    texts: list[str], ended: list[str], chunks: tuple[Chunk, ...], newline: str, path: str
) -> list[Replacement]:
    lines = Lines(texts)
    found: list[Replacement] = []
    position = 0
    for chunk in chunks:
        if chunk.anchor is not None:
            at = lines.find([chunk.anchor], position)
            if at is None:
                raise PatchError(f"Failed to find context '{chunk.anchor}' in {path}")
            position = at + 1
        signed, first = _place(lines, chunk, position)
        if first is None:
            raise PatchError(f"Failed to find expected lines in {path}:\n" + "\n".join(chunk.old))
        old = sum(sign != "+" for sign, _ in signed)
        found.append((first, old, _merge(signed, ended[first : first + old], newline)))
        if old:
            position = first + old
    return sorted(found, key=lambda replacement: replacement[0])


def _place(lines: Lines, chunk: Chunk, position: int) -> tuple[list[tuple[str, str]], int | None]:
    """Return the lines of a chunk and the index at which it applies.

    A chunk without old lines is inserted after its anchor, or else at the end of the file. An empty last line of it
    may stand for the file's last line end, so the search is repeated without it.
    """
    signed = list(chunk.lines)
    old = chunk.old
    if not old:
        return signed, position if chunk.anchor is not None and not chunk.at_end else lines.count
    first = lines.find(old, position, at_end=chunk.at_end)
    if first is None and old[-1] == "":
        signed = _without_empty_end(signed)
        first = lines.find(old[:-1], position, at_end=chunk.at_end)
    return signed, first


def _without_empty_end(signed: list[tuple[str, str]]) -> list[tuple[str, str]]:
    last_old = max(index for index, (sign, _) in enumerate(signed) if sign != "+")
    rest = list(signed)
    if rest[last_old][0] == " ":
        rest[last_old] = ("+", "")
    else:
        del rest[last_old]
    last_new = max((index for index, (sign, _) in enumerate(rest) if sign != "-"), default=None)
    if last_new is not None and rest[last_new][1] == "":
        del rest[last_new]
    return rest


def _merge(signed: list[tuple[str, str]], there: list[str], newline: str) -> list[str]:
    """Return the lines to insert: context from the file, additions from the patch."""
    merged: list[str] = []
    remaining = iter(there)
    for sign, text in signed:
        if sign == "+":
            merged.append(text + newline)
            continue
        line = next(remaining)
        if sign == " ":
            merged.append(line)
    return merged
