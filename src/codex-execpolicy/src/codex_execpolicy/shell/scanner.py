"""Find the commands that are spelled out anywhere in a shell script: in groups, control flow, substitutions.

Nothing is expanded and nothing makes the scan fail; what is not understood stays as it is written. That is enough to
notice commands that need an approval, and not enough to trust a script.
"""

from __future__ import annotations

from collections.abc import Callable

from codex_execpolicy.shell.words import ASSIGNMENT, RESERVED

_DEEPEST = 40
_ANSI = {"n": "\n", "t": "\t", "r": "\r"}


def literal_commands(script: str) -> list[list[str]]:
    """Return the words of every command that is spelled out in a script."""
    scan = _Scan(script)
    scan.script(0, None)
    return scan.found


class _Scan:
    """One scan of a script; inner scripts have scans of their own."""

    def __init__(self, text: str, found: list[list[str]] | None = None, depth: int = 0) -> None:
        self.found: list[list[str]] = [] if found is None else found
        self._text = text
        self._depth = depth
        self._words: list[str] = []
        self._word: list[str] | None = None
        self._skipped = False
        self._documents: list[tuple[str, bool]] = []  # what ends it, and whether it is taken as it is

    def script(self, at: int, end: str | None) -> int:
        """Pass over a script.

        :param end: character that closes it, ``None`` for the end of the text.
        :return: the place behind it.
        """
        opened = 0
        while at < len(self._text):
            sign = self._text[at]
            if sign == end and not opened:
                break
            if sign in "()":
                opened += 1 if sign == "(" else -(opened > 0)
                self._end_command()
                at += 1
            else:
                at = self._step(at, sign)
        self._end_command()
        return at + 1

    def _step(self, at: int, sign: str) -> int:
        text = self._text
        if sign in "'\"\\$`":
            return self._quoted(at, sign)
        if sign in " \t\r":
            self._end_word()
        elif sign == "\n":
            self._end_command()
            return self._behind_documents(at + 1)
        elif sign in "<>" or text.startswith("&>", at):
            return self._redirection(at)
        elif sign in ";&|":
            self._end_command()
        elif sign == "#" and self._word is None:
            line = text.find("\n", at)
            return len(text) if line < 0 else line
        else:
            self._add(sign)
        return at + 1

    def _quoted(self, at: int, sign: str) -> int:
        text = self._text
        while sign == "$" and text.startswith("\\\n", at + 1):
            at += 2
        after = text[at + 1 : at + 2]
        if sign == "'":
            close = text.find("'", at + 1)
            close = len(text) if close < 0 else close
            self._add(text[at + 1 : close])
            return close + 1
        if sign == '"':
            return self._double(at + 1, '"')
        if sign == "\\":
            if after != "\n":
                self._add(after)
            return at + 2
        if sign == "`":
            return self._backticks(at + 1)
        return self._dollar(at, after)

    def _double(self, at: int, end: str | None) -> int:
        self._add("")
        text = self._text
        while at < len(text) and text[at] != end:
            if text[at] in "\\$`" and text[at : at + 2] not in ("$'", '$"'):
                at = self._quoted(at, text[at])
            else:
                self._add(text[at])
                at += 1
        return at + 1

    def _dollar(self, at: int, after: str) -> int:
        if after == "(":
            return self._inner(at + 2, ")")
        if after == "{":
            return self._inner(at + 2, "}")
        if after == "'":
            return self._ansi(at + 2)
        if after == '"':
            return at + 1
        self._add("$")
        return at + 1

    def _ansi(self, at: int) -> int:
        text = self._text
        while at < len(text) and text[at] != "'":
            if text[at] == "\\":
                at, sign = _escape(text, at + 1)
                self._add(sign)
            else:
                self._add(text[at])
                at += 1
        return at + 1

    def _backticks(self, at: int) -> int:
        close = at
        while close < len(self._text) and self._text[close] != "`":
            close += 2 if self._text[close] == "\\" else 1
        self._add("")
        if self._depth < _DEEPEST:
            inner = self._text[at:close].replace("\\`", "`").replace("\\\\", "\\")
            _Scan(inner, self.found, self._depth + 1).script(0, None)
        return close + 1

    def _inner(self, at: int, end: str) -> int:
        self._add("")
        if self._depth >= _DEEPEST:
            return at
        return _Scan(self._text, self.found, self._depth + 1).script(at, end)

    def _redirection(self, at: int) -> int:
        text = self._text
        if self._word is not None and "".join(self._word).isdigit():
            self._word = None
        self._end_word()
        if text.startswith(("<(", ">("), at):
            return self._inner(at + 2, ")")
        signs = at
        while text[at : at + 1] in ("<", ">", "&", "|", "-") and at < signs + 3:
            at += 1
        if text[signs:at].startswith("<<") and not text[signs:at].startswith("<<<"):
            return self._document(at)
        self._skipped = True
        while text[at : at + 1] in (" ", "\t"):
            at += 1
        return at

    def _document(self, at: int) -> int:
        text = self._text
        while text[at : at + 1] in (" ", "\t"):
            at += 1
        start = at
        while at < len(text) and not (text[at].isspace() or text[at] in ";&|<>()"):
            at += 1
        end = "".join(sign for sign in text[start:at] if sign not in "'\"\\")
        self._documents.append((end, at - start > len(end)))
        return at

    def _behind_documents(self, at: int) -> int:
        text = self._text
        for end, plain in self._documents:
            start = last = at
            while at < len(text):
                stop = text.find("\n", at)
                stop = len(text) if stop < 0 else stop
                last, line, at = at, text[at:stop], stop + 1
                if line.lstrip("\t") == end:
                    break
            else:
                last = len(text)
            body = text[start:last]
            if not plain and self._depth < _DEEPEST and ("$" in body or "`" in body):
                _Scan(body, self.found, self._depth + 1)._double(0, None)
        self._documents.clear()
        return at

    def _add(self, text: str) -> None:
        if self._word is None:
            self._word = []
        self._word.append(text)

    def _end_word(self) -> None:
        if self._word is not None and not self._skipped:
            self._words.append("".join(self._word))
        if self._word is not None:
            self._skipped = False
        self._word = None

    def _end_command(self) -> None:
        self._end_word()
        self._skipped = False
        words, self._words = self._words, []
        if not words:
            return
        begin = _first(words, 0, lambda word: word in RESERVED or word in ("--", "-p") or ASSIGNMENT.match(word))
        bare = _first(words, begin, lambda word: not word or word.startswith("$"))  # which may expand to nothing
        self.found += [words[at:] for at in dict.fromkeys((begin, bare)) if at < len(words)]


def _first(words: list[str], at: int, passed: Callable[[str], object]) -> int:
    """Return the place of the first word that is not passed over, the number of words if there is none."""
    while at < len(words) and passed(words[at]):
        at += 1
    return at


def _escape(text: str, at: int) -> tuple[int, str]:
    """Return what an escape of ``$'…'`` stands for, and the place behind it."""
    sign = text[at : at + 1]
    digits, base = {"x": (2, 16), "u": (4, 16), "U": (8, 16)}.get(sign, (3, 8))
    start = at if base == 8 else at + 1
    end = start
    allowed = "01234567" if base == 8 else "0123456789abcdefABCDEF"
    while end < start + digits and text[end : end + 1] and text[end] in allowed:
        end += 1
    if end > start:
        code = int(text[start:end], base)
        return end, chr(code) if code < 0x110000 else ""
    return at + 1, _ANSI.get(sign, sign)
