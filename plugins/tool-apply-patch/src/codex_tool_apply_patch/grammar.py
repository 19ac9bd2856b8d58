"""Parse patches in the ``*** Begin Patch`` format of Codex 0.118, with the environment line of later releases."""

from __future__ import annotations

from typing import TypeAlias

from codex_hookspecs import frozen
from codex_hookspecs.errors import CodexError

BEGIN = "*** Begin Patch"
END = "*** End Patch"
ENVIRONMENT = "*** Environment ID:"
ADD = "*** Add File: "
DELETE = "*** Delete File: "
UPDATE = "*** Update File: "
MOVE = "*** Move to: "
END_OF_FILE = "*** End of File"

_HEREDOC_STARTS = ("<<EOF", "<<'EOF'", '<<"EOF"')
_NO_LINES = "Update hunk does not contain any lines"


class PatchError(CodexError):
    """Raised when a patch is invalid, does not match the files, or can't be applied; no file is left changed."""


@frozen
class Chunk:
    """A chunk of changes to a file.

    :param anchor: a line before the chunk, from ``@@ line``, or ``None``.
    :param lines: ``(sign, text)`` pairs with the signs of a unified diff: space, ``+`` or ``-``.
    :param at_end: whether the chunk is at the end of the file.
    """

    anchor: str | None
    lines: tuple[tuple[str, str], ...]
    at_end: bool

    @property
    def old(self) -> list[str]:
        """The lines that the file has at this place before the change."""
        return [text for sign, text in self.lines if sign != "+"]


@frozen
class AddFile:
    """Create or replace a file."""

    path: str
    content: str


@frozen
class DeleteFile:
    """Delete a file."""

    path: str


@frozen
class UpdateFile:
    """Change a file, and optionally move it."""

    path: str
    chunks: tuple[Chunk, ...]
    move_to: str | None


Operation: TypeAlias = AddFile | DeleteFile | UpdateFile


@frozen
class Patch:
    """A parsed patch.

    :param text: the patch without a surrounding here-document.
    :param environment: id of the environment in the patch, or ``None``.
    """

    operations: tuple[Operation, ...]
    text: str
    environment: str | None


def parse_patch(text: str) -> Patch:
    """Parse a patch, tolerating white space around its marker lines and a surrounding here-document.

    :raises PatchError: when the patch is invalid; names the line.
    """
    lines = [line.removesuffix("\r") for line in text.strip().split("\n")]
    lines = _unwrap(lines)
    reader = _Reader(lines)
    return Patch(reader.operations(), "\n".join(lines), reader.environment)


def _unwrap(lines: list[str]) -> list[str]:
    fault = _boundary_fault(lines)
    if fault and len(lines) >= 4 and lines[0] in _HEREDOC_STARTS and lines[-1].endswith("EOF"):
        lines = lines[1:-1]
        fault = _boundary_fault(lines)
    if fault:
        raise PatchError(f"invalid patch: {fault}")
    return lines


def _boundary_fault(lines: list[str]) -> str | None:
    if lines[0].strip() != BEGIN:
        return f"The first line of the patch must be '{BEGIN}'"
    if lines[-1].strip() != END:
        return f"The last line of the patch must be '{END}'"
    return None


class _Reader:
    """Parser of the lines between the markers; ``position`` is an index, one less than the line number."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.position = 1
        self.end = len(lines) - 1
        self.environment: str | None = None

    def operations(self) -> tuple[Operation, ...]:
        self._read_environment()
        found: list[Operation] = []
        while self.position < self.end:
            found.append(self._operation())
        return tuple(found)

    def _read_environment(self) -> None:
        while self.position < self.end:
            line = self.lines[self.position].strip()
            if not line.startswith(ENVIRONMENT):
                return
            if self.environment is not None:
                raise PatchError("invalid patch: apply_patch environment_id cannot be specified more than once")
            self.environment = line.removeprefix(ENVIRONMENT).strip()
            if not self.environment:
                raise PatchError("invalid patch: apply_patch environment_id cannot be empty")
            self.position += 1

    def _operation(self) -> Operation:
        header = self.lines[self.position].strip()
        number = self.position + 1
        self.position += 1
        if header.startswith(ADD):
            return AddFile(header.removeprefix(ADD), self._added_lines())
        if header.startswith(DELETE):
            return DeleteFile(header.removeprefix(DELETE))
        if header.startswith(UPDATE):
            return self._update(header.removeprefix(UPDATE), number)
        raise _fault(
            number,
            f"'{header}' is not a valid hunk header. Valid hunk headers: "
            f"'{ADD}{{path}}', '{DELETE}{{path}}', '{UPDATE}{{path}}'",
        )

    def _added_lines(self) -> str:
        start = self.position
        while self.position < self.end and self.lines[self.position].startswith("+"):
            self.position += 1
        return "".join(f"{line[1:]}\n" for line in self.lines[start : self.position])

    def _update(self, path: str, number: int) -> UpdateFile:
        move_to = None
        if self.position < self.end and self.lines[self.position].startswith(MOVE):
            move_to = self.lines[self.position].removeprefix(MOVE)
            self.position += 1
        chunks: list[Chunk] = []
        while self.position < self.end:
            line = self.lines[self.position]
            if not line.strip():
                self.position += 1
            elif line.startswith("*"):
                break
            else:
                chunks.append(self._chunk(first=not chunks))
        if not chunks:
            raise _fault(number, f"Update file hunk for path '{path}' is empty")
        return UpdateFile(path, tuple(chunks), move_to)

    def _chunk(self, *, first: bool) -> Chunk:
        number = self.position + 1
        line = self.lines[self.position]
        anchor = None
        if line == "@@" or line.startswith("@@ "):
            anchor = line[3:].rstrip() or None
            self.position += 1
        elif not first:
            raise _fault(number, f"Expected update hunk to start with a @@ context marker, got: '{line}'")
        if self.position >= self.end:
            raise _fault(number + 1, _NO_LINES)
        return self._chunk_lines(anchor, number)

    def _chunk_lines(self, anchor: str | None, number: int) -> Chunk:
        found: list[tuple[str, str]] = []
        while self.position < self.end:
            line = self.lines[self.position]
            if line == END_OF_FILE:
                if not found:
                    raise _fault(number + 1, _NO_LINES)
                self.position += 1
                return Chunk(anchor, tuple(found), at_end=True)
            sign = line[:1] or " "
            if sign not in " +-":
                if not found:
                    raise _fault(
                        number + 1,
                        f"Unexpected line found in update hunk: '{line}'. Every line should start with "
                        "' ' (context line), '+' (added line), or '-' (removed line)",
                    )
                break
            found.append((sign, line[1:]))
            self.position += 1
        return Chunk(anchor, tuple(found), at_end=False)


def _fault(number: int, message: str) -> PatchError:
    return PatchError(f"invalid hunk at line {number}, {message}")
