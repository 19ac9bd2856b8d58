"""Compute what a file contains after the chunks of a patch."""

from __future__ import annotations

from codex_tool_apply_patch.grammar import Chunk, PatchError
from codex_tool_apply_patch.matching import Lines

Replacement = tuple[int, int, list[str]]
"""First line, number of lines to take out, lines to put in (with their line ends)."""


def updated(content: str, chunks: tuple[Chunk, ...], path: str) -> str:
    """Return ``content`` with all chunks applied, in order.

    Lines that a chunk only shows as context stay as they are in the file. New lines end as most lines of the file do,
    and the last line of the result always ends. A byte order mark is no part of the first line.

    :param path: shown in errors.
    :raises PatchError: when a chunk's place is not found.
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
        found.append((first, old, _merged(signed, ended[first : first + old], newline)))
        if old:
            position = first + old
    return sorted(found, key=lambda replacement: replacement[0])


def _place(lines: Lines, chunk: Chunk, position: int) -> tuple[list[tuple[str, str]], int | None]:
    """Return the chunk's lines and where they apply.

    A chunk without old lines goes behind its anchor, or else to the end of the file. An empty last line of a chunk may
    stand for the file's last line end, so the search is repeated without it.
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


def _merged(signed: list[tuple[str, str]], there: list[str], newline: str) -> list[str]:
    """Return the lines to put in: context from the file, additions from the patch."""
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
