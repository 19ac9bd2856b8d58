"""Parse a query: words that a path must match, with the signs of the public fuzzy finders."""

from __future__ import annotations

import re
import unicodedata
from typing import Final, Literal

from codex_hookspecs import frozen

Kind = Literal["fuzzy", "substring", "prefix", "suffix", "exact"]
MAX_CHARACTERS: Final = 256
"""Characters of a query; further ones are ignored."""
_WORD: Final = re.compile(r"(?:\\.|\S)+")


@frozen(kw_only=True)
class Word:
    """One word of a query.

    :param text: case folded, unless ``sensitive``.
    :param sensitive: whether the case matters: the word has an upper-case letter.
    :param plain: whether letters of a path match without their accents: the word is ASCII.
    :param inverse: whether the path must not match.
    """

    text: str
    kind: Kind
    sensitive: bool
    plain: bool
    inverse: bool

    def fold(self, path: str) -> str:
        """Return a path as this word is compared to it, with as many characters."""
        folded = path if self.sensitive else fold_case(path)
        return folded if folded.isascii() or not self.plain else strip_accents(folded)


def parse(query: str) -> list[Word]:
    """Return the words of a query: ``!word`` must not be part of the path, ``^word`` begins it, ``word$`` ends it,
    ``'word`` is part of it as it is; ``\\`` before a space makes it part of a word."""
    found = (_parse_word(word) for word in _WORD.findall(query[:MAX_CHARACTERS]))
    return [word for word in found if word is not None]


def fold_case(text: str) -> str:
    """Return a text in lower case, with as many characters."""
    lower = text.lower()
    return (
        lower if len(lower) == len(text) else "".join(each if len(each.lower()) > 1 else each.lower() for each in text)
    )


def strip_accents(text: str) -> str:
    """Return a text with letters without their accents, with as many characters."""
    return "".join(unicodedata.normalize("NFD", each)[0] for each in text)


def _parse_word(word: str) -> Word | None:
    inverse = word.startswith("!")
    word = word[inverse:]
    kind: Kind = "substring" if inverse else "fuzzy"
    if word.startswith("^"):
        word, kind = word[1:], "prefix"
    elif word.startswith("'"):
        word, kind = word[1:], "substring"
    if word.endswith("$") and not word.endswith("\\$"):
        word = word[:-1]
        kind = "exact" if kind == "prefix" else "suffix"
    text = re.sub(r"\\(.)", r"\1", word)
    if not text:
        return None
    sensitive = any(each.isupper() for each in text)
    return Word(
        text=text if sensitive else fold_case(text),
        kind=kind,
        sensitive=sensitive,
        plain=text.isascii(),
        inverse=inverse,
    )
