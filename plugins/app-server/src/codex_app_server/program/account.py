"""Methods about the account: an API key, or none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NoReturn

from codex_app_server.program.credentials import find_key, forget_credentials, store_key
from codex_app_server.program.unavailable import refusal
from codex_hookspecs.errors import RpcError
from codex_hookspecs.protocol import (
    AccountLoginCompletedNotification,
    AccountUpdatedNotification,
    ApiKeyAccount,
    ApiKeyLoginAccountParams,
    ApiKeyLoginAccountResponse,
    CancelLoginAccountResponse,
    GetAccountResponse,
    GetAuthStatusResponse,
    LogoutAccountResponse,
    is_uuid,
)

if TYPE_CHECKING:
    from codex_hookspecs.host import Host
    from codex_hookspecs.protocol import (
        AuthMode,
        CancelLoginAccountParams,
        GetAccountParams,
        GetAuthStatusParams,
        LoginAccountParams,
    )
    from codex_hookspecs.surface import RpcContext

_DEFAULT_PROVIDER: Final = "openai"
_FILE_STORES: Final = ("file", "auto")


async def read(_params: GetAccountParams, context: RpcContext) -> GetAccountResponse:
    """Return the account that requests of the model are made with."""
    required = _requires_account(context.host)
    key = _key(context.host) if required else None
    return GetAccountResponse(account=None if key is None else ApiKeyAccount(), requires_openai_auth=required)


async def read_status(params: GetAuthStatusParams, context: RpcContext) -> GetAuthStatusResponse:
    """Return how requests of the model are authenticated (older API)."""
    required = _requires_account(context.host)
    key = _key(context.host) if required else None
    return GetAuthStatusResponse(
        auth_method=None if key is None else "apikey",
        auth_token=key if params.include_token else None,
        requires_openai_auth=required,
    )


async def log_in(params: LoginAccountParams, context: RpcContext) -> ApiKeyLoginAccountResponse:
    """Store an API key; it is used from the next request of a model on."""
    host = context.host
    forced = host.config.get("forced_login_method")
    if not isinstance(params, ApiKeyLoginAccountParams):
        if forced == "api":
            raise RpcError("ChatGPT login is disabled. Use API key login instead.")
        raise refusal("account/login/start", "login with ChatGPT")
    if forced == "chatgpt":
        raise RpcError("API key login is disabled. Use ChatGPT login instead.")
    key = params.api_key.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise RpcError("the API key must be of printable ASCII characters without blanks")
    store = host.config.get("cli_auth_credentials_store") or "file"
    if store not in _FILE_STORES:
        raise refusal("account/login/start", f"the store of credentials `{store}`")
    await asyncio.to_thread(store_key, host.codex_home, key)

    async def tell() -> None:
        await context.broadcast(AccountLoginCompletedNotification(success=True))
        await _tell_account(context)

    context.after_response(tell)
    return ApiKeyLoginAccountResponse()


async def cancel_login(params: CancelLoginAccountParams, _context: RpcContext) -> CancelLoginAccountResponse:
    """Cancel a login; none takes longer than its request."""
    if not is_uuid(params.login_id):
        raise RpcError(f"invalid login id: {params.login_id}")
    return CancelLoginAccountResponse(status="notFound")


async def log_out(_params: None, context: RpcContext) -> LogoutAccountResponse:
    """Remove the stored credentials."""
    await asyncio.to_thread(forget_credentials, context.host.codex_home)
    context.after_response(lambda: _tell_account(context))
    return LogoutAccountResponse()


async def read_rate_limits(_params: None, context: RpcContext) -> NoReturn:
    """Refuse: only accounts of ChatGPT have rate limits."""
    kind = "codex account" if _key(context.host) is None else "chatgpt"
    raise RpcError(f"{kind} authentication required to read rate limits")


async def _tell_account(context: RpcContext) -> None:
    mode: AuthMode | None = None if _key(context.host) is None else "apikey"
    await context.broadcast(AccountUpdatedNotification(auth_mode=mode))


def _key(host: Host) -> str | None:
    return find_key(host.codex_home, host.environ)


def _requires_account(host: Host) -> bool:
    provider = host.config.get("model_provider") or _DEFAULT_PROVIDER
    providers = host.config.get("model_providers") or {}
    return bool(providers.get(provider, {}).get("requires_openai_auth", provider == _DEFAULT_PROVIDER))
