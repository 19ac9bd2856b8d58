"""States, sources and error kinds (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from codex_hookspecs.types.json import Signed32, Unsigned16
from codex_hookspecs.values import frozen


@frozen
class HttpFailure:
    """The HTTP status of a failed request, if there was one."""

    http_status_code: Unsigned16 | None = None


@frozen
class HttpConnectionFailedCodexErrorInfo:
    """The connection to the model's provider failed."""

    http_connection_failed: HttpFailure


@frozen
class ResponseStreamConnectionFailedCodexErrorInfo:
    """The stream of a response could not be opened."""

    response_stream_connection_failed: HttpFailure


@frozen
class ResponseStreamDisconnectedCodexErrorInfo:
    """The stream of a response broke."""

    response_stream_disconnected: HttpFailure


@frozen
class ResponseTooManyFailedAttemptsCodexErrorInfo:
    """Every attempt failed."""

    response_too_many_failed_attempts: HttpFailure


NonSteerableTurnKind = Literal["review", "compact"]
"""A turn that takes no further input."""


@frozen
class ActiveTurnKind:
    """The kind of the running turn."""

    turn_kind: NonSteerableTurnKind


@frozen
class ActiveTurnNotSteerableCodexErrorInfo:
    """The running turn takes no further input."""

    active_turn_not_steerable: ActiveTurnKind


CodexErrorInfo: TypeAlias = (
    Literal[
        "contextWindowExceeded",
        "usageLimitExceeded",
        "serverOverloaded",
        "internalServerError",
        "unauthorized",
        "badRequest",
        "threadRollbackFailed",
        "sandboxError",
        "other",
    ]
    | HttpConnectionFailedCodexErrorInfo
    | ResponseStreamConnectionFailedCodexErrorInfo
    | ResponseStreamDisconnectedCodexErrorInfo
    | ResponseTooManyFailedAttemptsCodexErrorInfo
    | ActiveTurnNotSteerableCodexErrorInfo
)
"""The kind of an error: a word, or an object with one member that has details."""


@frozen
class CustomSessionSource:
    """A client with a name of its own."""

    custom: str


@frozen(kw_only=True)
class ThreadSpawn:
    """The thread that started an agent."""

    SNAKE_CASE: ClassVar[bool] = True
    depth: Signed32
    parent_thread_id: str
    agent_nickname: str | None = None
    agent_path: str | None = None
    agent_role: str | None = None


@frozen
class ThreadSpawnSubAgentSource:
    """Started by a tool call in another thread."""

    SNAKE_CASE: ClassVar[bool] = True
    thread_spawn: ThreadSpawn


@frozen
class OtherSubAgentSource:
    """Started for something else."""

    other: str


SubAgentSource: TypeAlias = (
    Literal["review", "compact", "memory_consolidation"] | ThreadSpawnSubAgentSource | OtherSubAgentSource
)
"""What an agent was started for."""


@frozen
class SubAgentSessionSource:
    """An agent that another one started."""

    sub_agent: SubAgentSource


SessionSource: TypeAlias = (
    Literal["cli", "vscode", "exec", "appServer", "unknown"] | CustomSessionSource | SubAgentSessionSource
)
"""The kind of client that started a thread."""

ThreadActiveFlag = Literal["waitingOnApproval", "waitingOnUserInput"]
"""What an active thread waits for."""


@frozen
class NotLoadedThreadStatus:
    """The thread is stored only."""

    TYPE: ClassVar[str] = "notLoaded"


@frozen
class IdleThreadStatus:
    """The thread is loaded, and no turn runs."""

    TYPE: ClassVar[str] = "idle"


@frozen
class SystemErrorThreadStatus:
    """The last turn failed."""

    TYPE: ClassVar[str] = "systemError"


@frozen
class ActiveThreadStatus:
    """A turn runs."""

    TYPE: ClassVar[str] = "active"
    active_flags: tuple[ThreadActiveFlag, ...]


ThreadStatus: TypeAlias = NotLoadedThreadStatus | IdleThreadStatus | SystemErrorThreadStatus | ActiveThreadStatus
"""State of a thread."""
