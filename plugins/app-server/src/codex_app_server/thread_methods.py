"""Methods that load threads: start, resume, unsubscribe."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import attrs

from codex_app_server.connection import ORIGINATOR_OVERRIDE
from codex_hookspecs.errors import RpcError, ThreadNotFound
from codex_hookspecs.protocol import ThreadResumeResponse, ThreadStarted, ThreadStartResponse, is_uuid
from codex_sandboxing.app_server_form import write_policy

if TYPE_CHECKING:
    from codex_hookspecs.host import LoadedThread
    from codex_hookspecs.protocol import (
        Thread,
        ThreadResumeParams,
        ThreadStartParams,
        ThreadUnsubscribeParams,
        ThreadUnsubscribeResponse,
    )
    from codex_hookspecs.surface import RpcContext

_Response = TypeVar("_Response", bound=ThreadStartResponse)


async def start(params: ThreadStartParams, context: RpcContext) -> ThreadStartResponse:
    """Start a thread; the notification ``thread/started`` follows the response."""
    thread = await context.host.threads.start(
        params,
        source=context.session_source,
        originator=_originator(context),
        client_version=context.client_version,
    )
    context.subscribe(thread)
    summary = thread.summary()
    context.after_response(lambda: thread.notify(ThreadStarted(thread=summary)))
    return _start_response(ThreadStartResponse, thread, summary)


async def resume(params: ThreadResumeParams, context: RpcContext) -> ThreadResumeResponse:
    """Load a stored thread."""
    check_id(params.thread_id)
    try:
        thread = await context.host.threads.resume(
            params, originator=_originator(context), client_version=context.client_version
        )
    except ThreadNotFound as error:
        raise RpcError(f"no rollout found for thread id {params.thread_id}") from error
    context.subscribe(thread)
    return _start_response(ThreadResumeResponse, thread, attrs.evolve(thread.summary(), turns=tuple(thread.turns())))


async def unsubscribe(params: ThreadUnsubscribeParams, context: RpcContext) -> ThreadUnsubscribeResponse:
    """Unsubscribe from a thread; without subscribers, the thread is unloaded."""
    from codex_hookspecs.protocol import ThreadUnsubscribeResponse

    check_id(params.thread_id)
    if context.host.threads.get(params.thread_id) is None:
        return ThreadUnsubscribeResponse(status="notLoaded")
    return ThreadUnsubscribeResponse(
        status="unsubscribed" if context.unsubscribe(params.thread_id) else "notSubscribed"
    )


def check_id(thread_id: str) -> None:
    """Check the form of a thread id.

    :raises RpcError: when it is not a UUID.
    """
    if not is_uuid(thread_id):
        raise RpcError(f"invalid thread id: {thread_id}")


def _start_response(kind: type[_Response], thread: LoadedThread, summary: Thread) -> _Response:
    """Build the response to ``thread/start`` and ``thread/resume``."""
    settings = thread.settings
    return kind(
        thread=summary,
        model=settings.model,
        model_provider=settings.model_provider,
        service_tier=settings.service_tier,
        cwd=settings.cwd,
        approval_policy=settings.approval_policy,
        approvals_reviewer=settings.approvals_reviewer,
        sandbox=write_policy(settings.sandbox),
        reasoning_effort=settings.reasoning_effort,
    )


def _originator(context: RpcContext) -> str:
    return context.host.environ.get(ORIGINATOR_OVERRIDE) or context.client_name
