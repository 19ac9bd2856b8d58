"""Search for files by name (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar, Literal

from codex_hookspecs.types.json import Unsigned
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class FuzzyFileSearchParams:
    """Parameters of ``fuzzyFileSearch``.

    :param cancellation_token: a later search with the same text ends this one.
    :param roots: directories to search.
    """

    query: str
    roots: list[str]
    cancellation_token: str | None = None


@frozen(kw_only=True)
class FuzzyFileSearchSessionStartParams:
    """Parameters of ``fuzzyFileSearch/sessionStart``."""

    session_id: str
    roots: list[str]


@frozen
class FuzzyFileSearchSessionStopParams:
    """Parameters of ``fuzzyFileSearch/sessionStop``."""

    session_id: str


@frozen(kw_only=True)
class FuzzyFileSearchSessionUpdateParams:
    """Parameters of ``fuzzyFileSearch/sessionUpdate``."""

    session_id: str
    query: str


FuzzyFileSearchMatchType = Literal["file", "directory"]
"""Kind of what was found."""


@frozen(kw_only=True)
class FuzzyFileSearchResult:
    """A path that matches a query.

    :param indices: positions of the matched characters in the path.
    :param score: higher is better.
    """

    SNAKE_CASE: ClassVar[bool] = True
    file_name: str
    match_type: FuzzyFileSearchMatchType
    path: str
    root: str
    score: Unsigned
    indices: tuple[Unsigned, ...] | None = None


@frozen
class FuzzyFileSearchSessionCompletedNotification(Notification):
    """A search session has found everything for its query."""

    METHOD: ClassVar[str] = "fuzzyFileSearch/sessionCompleted"
    session_id: str


@frozen(kw_only=True)
class FuzzyFileSearchSessionUpdatedNotification(Notification):
    """The best matches of a search session so far."""

    METHOD: ClassVar[str] = "fuzzyFileSearch/sessionUpdated"
    files: tuple[FuzzyFileSearchResult, ...]
    query: str
    session_id: str


@frozen
class FuzzyFileSearchResponse:
    """Result of ``fuzzyFileSearch``."""

    files: tuple[FuzzyFileSearchResult, ...]


@frozen
class FuzzyFileSearchSessionStartResponse:
    """Result of ``fuzzyFileSearch/sessionStart``."""


@frozen
class FuzzyFileSearchSessionUpdateResponse:
    """Result of ``fuzzyFileSearch/sessionUpdate``."""


@frozen
class FuzzyFileSearchSessionStopResponse:
    """Result of ``fuzzyFileSearch/sessionStop``."""
