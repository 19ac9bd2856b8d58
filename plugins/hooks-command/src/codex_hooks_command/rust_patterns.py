"""Translate the regular expressions of matchers from the syntax of Rust's regex crate to Python's."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable
from functools import lru_cache

_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_CATEGORIES = {
    "letter": "L",
    "uppercaseletter": "Lu",
    "lowercaseletter": "Ll",
    "titlecaseletter": "Lt",
    "mark": "M",
    "number": "N",
    "decimalnumber": "Nd",
    "punctuation": "P",
    "symbol": "S",
    "separator": "Z",
    "other": "C",
}
_PROPERTIES: dict[str, Callable[[str], bool]] = {
    "any": lambda _: True,
    "ascii": str.isascii,
    "alphabetic": str.isalpha,
    "alpha": str.isalpha,
    "uppercase": str.isupper,
    "upper": str.isupper,
    "lowercase": str.islower,
    "lower": str.islower,
    "whitespace": str.isspace,
}
_ABBREVIATION = re.compile(r"[CLMNPSZ][a-z]?$")
_TOKEN = re.compile(
    r"\\[pP](?:\{(?P<property>\^?[\w= :-]+)\}|(?P<short>[A-Z]))"
    r"|\\[xuU]\{(?P<code>[0-9A-Fa-f]{1,8})\}"
    r"|\\(?P<escaped>.)"
    r"|\(\?(?P<group>P?<(?=[A-Za-z_])|P=|<?[=!]|>|\(|[a-zA-Z]*-?[a-zA-Z]*[:)])"
    r"|(?P<posix>\[:\^?\w+:\])"
    r"|(?P<operator>&&|--|~~)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_SAME = frozenset("AbBdDwWsSnrtfva")
_FLAGS = re.compile(r"[imsx]*(-[imsx]+)?:$")


class InvalidPattern(ValueError):
    """Raised for a pattern that the regex crate rejects."""


class UnsupportedPattern(ValueError):
    """Raised for a valid pattern that can't be translated."""


def translate(pattern: str) -> str:
    """Return the pattern in Python's syntax.

    :raises InvalidPattern: when it is invalid.
    :raises UnsupportedPattern: when it can't be translated.
    """
    parts: list[str] = []
    in_class = False
    first = 0
    for token in _TOKEN.finditer(pattern):
        text, kind = token[0], token.lastgroup
        if kind == "group" and not in_class:
            parts.append(_group(token["group"], at_start=not token.start()))
        elif kind in {"property", "short", "code", "escaped"}:
            parts.append(_escape(token, in_class=in_class))
        elif not in_class:
            in_class = text == "["
            parts.append(text if kind == "other" else re.escape(text))
            first = token.end() + pattern.startswith("^", token.end())
        elif text == "]" and token.start() > first:
            in_class = False
            parts.append(text)
        elif kind == "posix":
            parts.append(_posix(text))
        elif text == "[" or kind == "operator":
            raise UnsupportedPattern("nested character classes are not supported")
        elif text == "-" or (text == "^" and token.start() < first):
            parts.append(text)
        else:
            parts.append(re.escape(text))
    return "".join(parts)


def _group(text: str, *, at_start: bool) -> str:
    if text in {"<", "P<"}:
        return "(?P<"
    if text in {"=", "!", "<=", "<!", "P=", ">", "("}:
        raise InvalidPattern("look-around, backreferences and conditions are not supported")
    if _FLAGS.match(text) or (at_start and re.match(r"[imsx]+\)$", text)):
        return f"(?{text}"
    raise UnsupportedPattern(f"(?{text} is not supported")


def _escape(token: re.Match[str], *, in_class: bool) -> str:
    if (code := token["code"]) is not None:
        if int(code, 16) > sys.maxunicode:
            raise InvalidPattern(f"{token[0]} is no character")
        return f"\\U{int(code, 16):08x}"
    if (escaped := token["escaped"]) is None:
        name = token["property"] or token["short"]
        members = _members(name.removeprefix("^"), negated=token[0][1] == "P" or name.startswith("^"))
        return members if in_class else f"[{members}]"
    if escaped == "z":
        return r"\Z"
    if not escaped.isalnum() or escaped in _SAME:
        return token[0] if escaped != "\n" else re.escape(escaped)
    if escaped == "x" and re.match(r"[0-9A-Fa-f]{2}", token.string[token.end() :]):
        return token[0]
    raise InvalidPattern(f"unknown escape {token[0]}")


def _posix(text: str) -> str:
    name = text[2:-2]
    if name.startswith("^"):
        raise UnsupportedPattern(f"{text} is not supported")
    if name not in _POSIX:
        raise InvalidPattern(f"unknown class {text}")
    return _POSIX[name]


@lru_cache(maxsize=16)
def _members(name: str, *, negated: bool) -> str:
    """Return the characters of a Unicode property as the inside of a character class."""
    name = name.partition("=")[2].strip() or name
    plain = re.sub(r"[ _-]", "", name).lower()
    category = _CATEGORIES.get(plain, name if _ABBREVIATION.match(name) else None)
    fits = _PROPERTIES.get(plain)
    if category is not None:
        wanted = category

        def fits(character: str) -> bool:
            return unicodedata.category(character).startswith(wanted)

    if fits is None:
        raise UnsupportedPattern(f"the property {name} is not supported")
    ranges: list[list[int]] = []
    for code in range(sys.maxunicode + 1):
        if fits(chr(code)) is not negated:
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)
