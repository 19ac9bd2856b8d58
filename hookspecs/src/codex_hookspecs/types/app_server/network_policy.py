"""Rules for network access in approvals (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import Literal

from codex_hookspecs.values import frozen

NetworkApprovalProtocol = Literal["http", "https", "socks5Tcp", "socks5Udp"]
"""A network protocol."""


@frozen(kw_only=True)
class NetworkApprovalContext:
    """The connection that a request for approval is about."""

    host: str
    protocol: NetworkApprovalProtocol


NetworkPolicyRuleAction = Literal["allow", "deny"]
"""What a rule does."""


@frozen(kw_only=True)
class NetworkPolicyAmendment:
    """A rule for a host."""

    action: NetworkPolicyRuleAction
    host: str
