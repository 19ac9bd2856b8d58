"""Inputs of users (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar, TypeAlias

from codex_hookspecs.types.json import Size
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class ByteRange:
    """A range of a text, in bytes of UTF-8."""

    end: Size
    start: Size


@frozen(kw_only=True)
class TextElement:
    """A part of a text that a client shows in another form."""

    byte_range: ByteRange
    placeholder: str | None = None


@frozen(kw_only=True)
class TextUserInput:
    """Text."""

    TYPE: ClassVar[str] = "text"
    SNAKE_CASE: ClassVar[bool] = True
    text: str
    text_elements: tuple[TextElement, ...] = ()


@frozen
class ImageUserInput:
    """An image, by URL."""

    TYPE: ClassVar[str] = "image"
    url: str


@frozen
class LocalImageUserInput:
    """An image in a file."""

    TYPE: ClassVar[str] = "localImage"
    path: str


@frozen(kw_only=True)
class SkillUserInput:
    """A skill that the user chose."""

    TYPE: ClassVar[str] = "skill"
    name: str
    path: str


@frozen(kw_only=True)
class MentionUserInput:
    """An app or plugin that the user chose."""

    TYPE: ClassVar[str] = "mention"
    name: str
    path: str


UserInput: TypeAlias = TextUserInput | ImageUserInput | LocalImageUserInput | SkillUserInput | MentionUserInput
"""A part of the user's message."""
