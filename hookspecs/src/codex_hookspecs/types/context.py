"""Instruction fragments: texts for the model that precede a conversation."""

from __future__ import annotations

from typing import Literal

from codex_hookspecs.types._checking import Checked
from codex_hookspecs.values import frozen

Place = Literal["base", "developer", "user"]


@frozen(kw_only=True)
class Fragment(Checked):
    """One instruction fragment.

    :param key: stable name; a fragment is sent again only when its text changed.
    :param place: ``base`` is the request's ``instructions``; ``developer`` fragments are the parts of one developer
        message, ``user`` fragments those of one user message.
    :param text: text for the model.
    :param order: sort key within a place. Used: permissions 10, client's developer instructions 20,
        collaboration mode 30, skills 40, plugins 50; AGENTS.md 10, environment 20.
    """

    key: str
    place: Place
    text: str
    order: int = 100
