"""Reviews (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

from codex_hookspecs.types.json import ReviewTargetObject
from codex_hookspecs.types.threads import Turn
from codex_hookspecs.values import frozen

ReviewDelivery = Literal["inline", "detached"]
"""Where a review runs: in the thread itself, or in one of its own."""


@frozen
class UncommittedChangesReviewTarget:
    """Everything that is not committed."""

    TYPE: ClassVar[str] = "uncommittedChanges"


@frozen
class BaseBranchReviewTarget:
    """Everything that differs from a branch."""

    TYPE: ClassVar[str] = "baseBranch"
    branch: str


@frozen(kw_only=True)
class CommitReviewTarget:
    """One commit."""

    TYPE: ClassVar[str] = "commit"
    sha: str
    title: str | None = None


@frozen
class CustomReviewTarget:
    """What the instructions say."""

    TYPE: ClassVar[str] = "custom"
    instructions: str


ReviewTarget: TypeAlias = (
    UncommittedChangesReviewTarget | BaseBranchReviewTarget | CommitReviewTarget | CustomReviewTarget
)
"""What is reviewed."""


@frozen(kw_only=True)
class ReviewStartParams:
    """Parameters of ``review/start``.

    :param output_schema: JSON schema of the final message; an extension.
    """

    thread_id: str
    target: ReviewTargetObject
    delivery: ReviewDelivery | None = None
    output_schema: Any = None


@frozen(kw_only=True)
class ReviewStartResponse:
    """Result of ``review/start``."""

    review_thread_id: str
    turn: Turn
