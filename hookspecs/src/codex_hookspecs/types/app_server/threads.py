"""Threads (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar, Literal

from attrs import field

from codex_hookspecs.types.json import Cleared, GitInfoUpdateObject, JsonObject, Unsigned, Unsigned64
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.types.requests import SortDirection
from codex_hookspecs.types.sandbox import SandboxMode
from codex_hookspecs.types.threads import ApprovalPolicy, ApprovalsReviewer, ServiceTier, Thread, Turn
from codex_hookspecs.values import frozen


@frozen(kw_only=True)
class ThreadForkParams:
    """Parameters of ``thread/fork``; ``None`` keeps the thread's setting.

    :param path: file of the thread; takes precedence over the id.
    :param last_turn_id: the last turn that the copy has (0.169); by default it has all.
    :param before_turn_id: the first turn that the copy does not have (0.169).
    :param exclude_turns: whether the result has no turns (0.169).
    """

    thread_id: str
    approval_policy: ApprovalPolicy | None = None
    approvals_reviewer: ApprovalsReviewer | None = None
    base_instructions: str | None = None
    config: JsonObject | None = None
    cwd: str | None = None
    developer_instructions: str | None = None
    ephemeral: bool = False
    model: str | None = None
    model_provider: str | None = None
    path: str | None = field(default=None, metadata={"experimental": True})
    persist_extended_history: bool = field(default=False, metadata={"experimental": True})
    sandbox: SandboxMode | None = None
    service_tier: ServiceTier | Cleared | None = field(default=None, metadata={"clearable": True})
    last_turn_id: str | None = None
    before_turn_id: str | None = None
    exclude_turns: bool = False


@frozen
class ThreadArchiveParams:
    """Parameters of ``thread/archive``."""

    thread_id: str


@frozen
class ThreadUnsubscribeParams:
    """Parameters of ``thread/unsubscribe``."""

    thread_id: str


@frozen
class ThreadIncrementElicitationParams:
    """Parameters of ``thread/increment_elicitation``."""

    thread_id: str


@frozen
class ThreadDecrementElicitationParams:
    """Parameters of ``thread/decrement_elicitation``."""

    thread_id: str


@frozen(kw_only=True)
class ThreadSetNameParams:
    """Parameters of ``thread/name/set``."""

    thread_id: str
    name: str


@frozen(kw_only=True)
class ThreadMetadataGitInfoUpdateParams:
    """New facts about the git work tree; a member that is absent stays, one that is null is removed."""

    branch: str | None = None
    origin_url: str | None = None
    sha: str | None = None


@frozen(kw_only=True)
class ThreadMetadataUpdateParams:
    """Parameters of ``thread/metadata/update``."""

    thread_id: str
    git_info: GitInfoUpdateObject | None = None


@frozen
class ThreadUnarchiveParams:
    """Parameters of ``thread/unarchive``."""

    thread_id: str


@frozen
class ThreadCompactStartParams:
    """Parameters of ``thread/compact/start``."""

    thread_id: str


@frozen(kw_only=True)
class ThreadShellCommandParams:
    """Parameters of ``thread/shellCommand``."""

    thread_id: str
    command: str


@frozen
class ThreadBackgroundTerminalsCleanParams:
    """Parameters of ``thread/backgroundTerminals/clean``."""

    thread_id: str


@frozen(kw_only=True)
class ThreadRollbackParams:
    """Parameters of ``thread/rollback``.

    :param num_turns: number of turns to remove from the end, at least 1.
    """

    thread_id: str
    num_turns: Unsigned


@frozen(kw_only=True)
class ThreadRevertParams:
    """Parameters of ``thread/revert`` (0.169).

    :param before_turn_id: the first turn that is taken back.
    """

    thread_id: str
    before_turn_id: str


@frozen(kw_only=True)
class ThreadTurnsListParams:
    """Parameters of ``thread/turns/list`` (0.169).

    :param sort_direction: newest first by default.
    :param items_view: which items each turn has: the prompt and the last message, all, or none.
    """

    thread_id: str
    cursor: str | None = None
    limit: Unsigned | None = None
    sort_direction: SortDirection | None = None
    items_view: Literal["notLoaded", "summary", "full"] | None = None


@frozen(kw_only=True)
class ThreadLoadedListParams:
    """Parameters of ``thread/loaded/list``.

    :param cursor: cursor of the page, from the page before; ``None`` for the first one.
    :param limit: maximum number of entries of the page.
    """

    cursor: str | None = None
    limit: Unsigned | None = None


@frozen(kw_only=True)
class ThreadReadParams:
    """Parameters of ``thread/read``.

    :param include_turns: whether the turns are returned too.
    """

    thread_id: str
    include_turns: bool = False


@frozen
class ThreadArchiveResponse:
    """Result of ``thread/archive``."""


ThreadUnsubscribeStatus = Literal["notLoaded", "notSubscribed", "unsubscribed"]
"""What an unsubscription found."""


@frozen
class ThreadUnsubscribeResponse:
    """Result of ``thread/unsubscribe``."""

    status: ThreadUnsubscribeStatus


@frozen(kw_only=True)
class ThreadIncrementElicitationResponse:
    """Result of ``thread/increment_elicitation``."""

    count: Unsigned64
    paused: bool


@frozen(kw_only=True)
class ThreadDecrementElicitationResponse:
    """Result of ``thread/decrement_elicitation``."""

    count: Unsigned64
    paused: bool


@frozen
class ThreadSetNameResponse:
    """Result of ``thread/name/set``."""


@frozen
class ThreadMetadataUpdateResponse:
    """Result of ``thread/metadata/update``."""

    thread: Thread


@frozen
class ThreadUnarchiveResponse:
    """Result of ``thread/unarchive``."""

    thread: Thread


@frozen
class ThreadCompactStartResponse:
    """Result of ``thread/compact/start``."""


@frozen
class ThreadShellCommandResponse:
    """Result of ``thread/shellCommand``."""


@frozen
class ThreadBackgroundTerminalsCleanResponse:
    """Result of ``thread/backgroundTerminals/clean``."""


@frozen
class ThreadRollbackResponse:
    """Result of ``thread/rollback``."""

    thread: Thread


@frozen(kw_only=True)
class ThreadRevertResponse:
    """Result of ``thread/revert`` (0.169).

    :param thread: the thread, without its turns.
    :param turns_backwards_cursor: cursor of the last turn that is left, for ``thread/turns/list``.
    :param items_backwards_cursor: always ``None``: items are not listed by themselves.
    """

    thread: Thread
    turns_backwards_cursor: str | None = None
    items_backwards_cursor: str | None = None


@frozen(kw_only=True)
class ThreadTurnsListResponse:
    """Result of ``thread/turns/list`` (0.169).

    :param next_cursor: cursor of the next page; ``None`` on the last one.
    :param backwards_cursor: cursor of the first turn here, for the opposite direction.
    """

    data: tuple[Turn, ...]
    next_cursor: str | None = None
    backwards_cursor: str | None = None


@frozen(kw_only=True)
class ThreadLoadedListResponse:
    """Result of ``thread/loaded/list``.

    :param next_cursor: cursor of the next page; ``None`` on the last one.
    """

    data: tuple[str, ...]
    next_cursor: str | None = None


@frozen
class ThreadReadResponse:
    """Result of ``thread/read``."""

    thread: Thread


@frozen
class ThreadArchivedNotification(Notification):
    """A thread was archived."""

    METHOD: ClassVar[str] = "thread/archived"
    thread_id: str


@frozen
class ThreadUnarchivedNotification(Notification):
    """A thread was unarchived."""

    METHOD: ClassVar[str] = "thread/unarchived"
    thread_id: str


@frozen
class ThreadReverted(Notification):
    """Turns of a thread were taken back with ``thread/revert`` (0.169)."""

    METHOD: ClassVar[str] = "thread/reverted"
    thread_id: str
