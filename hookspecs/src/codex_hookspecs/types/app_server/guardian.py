"""Automatic reviews of approvals (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from codex_hookspecs.types.json import Unsigned8
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.values import frozen

GuardianApprovalReviewStatus = Literal["inProgress", "approved", "denied", "aborted"]
"""State of an automatic review."""

GuardianRiskLevel = Literal["low", "medium", "high"]
"""How dangerous the reviewer found a request."""


@frozen(kw_only=True)
class GuardianApprovalReview:
    """An automatic review of a request for approval."""

    status: GuardianApprovalReviewStatus
    rationale: str | None = None
    risk_level: GuardianRiskLevel | None = None
    risk_score: Unsigned8 | None = None


@frozen(kw_only=True)
class ItemGuardianApprovalReviewStartedNotification(Notification):
    """An automatic review started."""

    METHOD: ClassVar[str] = "item/autoApprovalReview/started"
    review: GuardianApprovalReview
    target_item_id: str
    thread_id: str
    turn_id: str
    action: Any = None


@frozen(kw_only=True)
class ItemGuardianApprovalReviewCompletedNotification(Notification):
    """An automatic review ended."""

    METHOD: ClassVar[str] = "item/autoApprovalReview/completed"
    review: GuardianApprovalReview
    target_item_id: str
    thread_id: str
    turn_id: str
    action: Any = None
