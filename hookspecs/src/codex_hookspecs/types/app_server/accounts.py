"""Accounts and rate limits (app-server protocol v2, 0.118)."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

from codex_hookspecs.types.json import Signed32
from codex_hookspecs.types.notifications import Notification
from codex_hookspecs.values import frozen


@frozen
class ApiKeyLoginAccountParams:
    """With an API key."""

    TYPE: ClassVar[str] = "apiKey"
    api_key: str


@frozen
class ChatgptLoginAccountParams:
    """In a browser."""

    TYPE: ClassVar[str] = "chatgpt"


@frozen
class ChatgptDeviceCodeLoginAccountParams:
    """With a code in a browser of another device."""

    TYPE: ClassVar[str] = "chatgptDeviceCode"


@frozen(kw_only=True)
class ChatgptAuthTokensLoginAccountParams:
    """With tokens that the client holds."""

    TYPE: ClassVar[str] = "chatgptAuthTokens"
    access_token: str
    chatgpt_account_id: str
    chatgpt_plan_type: str | None = None


LoginAccountParams: TypeAlias = (
    ApiKeyLoginAccountParams
    | ChatgptLoginAccountParams
    | ChatgptDeviceCodeLoginAccountParams
    | ChatgptAuthTokensLoginAccountParams
)
"""Parameters of ``account/login/start``, by way to log in."""


@frozen
class CancelLoginAccountParams:
    """Parameters of ``account/login/cancel``."""

    login_id: str


@frozen
class GetAccountParams:
    """Parameters of ``account/read``.

    :param refresh_token: whether tokens are refreshed first.
    """

    refresh_token: bool = False


@frozen
class ApiKeyLoginAccountResponse:
    """Logged in with an API key."""

    TYPE: ClassVar[str] = "apiKey"


@frozen(kw_only=True)
class ChatgptLoginAccountResponse:
    """The page to open."""

    TYPE: ClassVar[str] = "chatgpt"
    auth_url: str
    login_id: str


@frozen(kw_only=True)
class ChatgptDeviceCodeLoginAccountResponse:
    """The page to open and the code to enter there."""

    TYPE: ClassVar[str] = "chatgptDeviceCode"
    login_id: str
    user_code: str
    verification_url: str


@frozen
class ChatgptAuthTokensLoginAccountResponse:
    """Logged in with tokens of the client."""

    TYPE: ClassVar[str] = "chatgptAuthTokens"


LoginAccountResponse: TypeAlias = (
    ApiKeyLoginAccountResponse
    | ChatgptLoginAccountResponse
    | ChatgptDeviceCodeLoginAccountResponse
    | ChatgptAuthTokensLoginAccountResponse
)
"""Result of ``account/login/start``, by way to log in."""

CancelLoginAccountStatus = Literal["canceled", "notFound"]
"""Whether there was a login to cancel."""


@frozen
class CancelLoginAccountResponse:
    """Result of ``account/login/cancel``."""

    status: CancelLoginAccountStatus


@frozen
class LogoutAccountResponse:
    """Result of ``account/logout``."""


@frozen(kw_only=True)
class CreditsSnapshot:
    """Credits of the account."""

    has_credits: bool
    unlimited: bool
    balance: str | None = None


PlanType = Literal[
    "free",
    "go",
    "plus",
    "pro",
    "team",
    "self_serve_business_usage_based",
    "business",
    "enterprise_cbp_usage_based",
    "enterprise",
    "edu",
    "unknown",
]
"""Plan of a ChatGPT account."""


@frozen(kw_only=True)
class RateLimitWindow:
    """Use of one rate limit.

    :param resets_at: end of the window, in seconds since the epoch.
    :param used_percent: how much of the limit is used, in percent.
    :param window_duration_mins: length of the window in minutes.
    """

    used_percent: Signed32
    resets_at: int | None = None
    window_duration_mins: int | None = None


@frozen(kw_only=True)
class RateLimitSnapshot:
    """Rate limits of the account."""

    credits: CreditsSnapshot | None = None
    limit_id: str | None = None
    limit_name: str | None = None
    plan_type: PlanType | None = None
    primary: RateLimitWindow | None = None
    secondary: RateLimitWindow | None = None


@frozen(kw_only=True)
class GetAccountRateLimitsResponse:
    """Result of ``account/rateLimits/read``."""

    rate_limits: RateLimitSnapshot
    rate_limits_by_limit_id: dict[str, RateLimitSnapshot] | None = None


@frozen
class ApiKeyAccount:
    """An API key."""

    TYPE: ClassVar[str] = "apiKey"


@frozen(kw_only=True)
class ChatgptAccount:
    """A ChatGPT account."""

    TYPE: ClassVar[str] = "chatgpt"
    email: str
    plan_type: PlanType


Account: TypeAlias = ApiKeyAccount | ChatgptAccount
"""The account that requests of the model are made with."""


@frozen(kw_only=True)
class GetAccountResponse:
    """Result of ``account/read``."""

    requires_openai_auth: bool
    account: Account | None = None


AuthMode = Literal["apikey", "chatgpt", "chatgptAuthTokens"]
"""How the account is authenticated."""


@frozen(kw_only=True)
class AccountUpdatedNotification(Notification):
    """The account changed."""

    METHOD: ClassVar[str] = "account/updated"
    auth_mode: AuthMode | None = None
    plan_type: PlanType | None = None


@frozen(kw_only=True)
class AccountLoginCompletedNotification(Notification):
    """A login ended."""

    METHOD: ClassVar[str] = "account/login/completed"
    success: bool
    error: str | None = None
    login_id: str | None = None


ChatgptAuthTokensRefreshReason = Literal["unauthorized"]
"""Why new tokens are needed."""


@frozen(kw_only=True)
class ChatgptAuthTokensRefreshParams:
    """Parameters of ``account/chatgptAuthTokens/refresh``."""

    reason: ChatgptAuthTokensRefreshReason
    previous_account_id: str | None = None


@frozen(kw_only=True)
class ChatgptAuthTokensRefreshResponse:
    """Result of ``account/chatgptAuthTokens/refresh``."""

    access_token: str
    chatgpt_account_id: str
    chatgpt_plan_type: str | None = None
