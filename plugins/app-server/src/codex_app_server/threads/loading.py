"""Methods that load threads: start, resume, fork, unsubscribe."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import attrs

from codex_app_server.connection import IN_PROCESS, ORIGINATOR_OVERRIDE
from codex_app_server.turns.turn_methods import check_id
from codex_hookspecs.errors import RpcError, ThreadNotFound
from codex_hookspecs.protocol import (
    ThreadResumeResponse,
    ThreadStarted,
    ThreadStartResponse,
    ThreadStatusChanged,
)
from codex_sandboxing.app_server_form import write_policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from codex_hookspecs.host import LoadedThread
    from codex_hookspecs.protocol import (
        Thread,
        ThreadForkParams,
        ThreadForkResponse,
        ThreadResumeParams,
        ThreadStartParams,
        ThreadUnsubscribeParams,
        ThreadUnsubscribeResponse,
    )
    from codex_hookspecs.surface import RpcContext

_Response = TypeVar("_Response", bound=ThreadStartResponse)


async def start(params: ThreadStartParams, context: RpcContext) -> ThreadStartResponse:
    """Start a thread; the notification ``thread/started`` follows the response."""
    if params.personality is not None:
        _check_words(params)
    if params.dynamic_tools:
        from codex_app_server.turns.dynamic_tools import check_dynamic_tools

        check_dynamic_tools(params.dynamic_tools)
    thread = await context.host.threads.start(
        params,
        source=context.session_source,
        originator=originator_of(context),
        client_version=context.client_version,
    )
    context.subscribe(thread)
    summary = thread.summary()
    context.after_response(lambda: thread.notify(ThreadStarted(thread=summary)))
    _warn(thread, params.config, context)
    return _start_response(ThreadStartResponse, thread, summary)


async def resume(params: ThreadResumeParams, context: RpcContext) -> ThreadResumeResponse:
    """Load a stored thread; its status is sent to all clients if it was not loaded."""
    if params.personality is not None:
        _check_words(params)
    before = context.host.threads.get(params.thread_id)
    with explained(params):
        thread = await context.host.threads.resume(
            params,
            originator=originator_of(context),
            client_version=context.client_version,
            own_flags=context.transport == IN_PROCESS,
        )
    if thread is not before:
        await context.broadcast(ThreadStatusChanged(thread_id=thread.id, status=thread.summary().status))
    context.subscribe(thread)
    _warn(thread, params.config, context)
    return _start_response(
        ThreadResumeResponse, thread, attrs.evolve(thread.summary(), turns=tuple(await thread.turns()))
    )


async def fork(params: ThreadForkParams, context: RpcContext) -> ThreadForkResponse:
    """Copy a stored thread and load the copy; the notification ``thread/started`` follows the response."""
    from codex_hookspecs.protocol import ThreadForkResponse

    with explained(params):
        thread = await context.host.threads.fork(
            params,
            source=context.session_source,
            originator=originator_of(context),
            client_version=context.client_version,
            own_flags=context.transport == IN_PROCESS,
        )
    context.subscribe(thread)
    summary = thread.summary()
    if not params.exclude_turns:
        summary = attrs.evolve(summary, turns=tuple(await thread.turns()))
    context.after_response(lambda: thread.notify(ThreadStarted(thread=summary)))
    _warn(thread, params.config, context)
    return _start_response(ThreadForkResponse, thread, summary)


async def unsubscribe(params: ThreadUnsubscribeParams, context: RpcContext) -> ThreadUnsubscribeResponse:
    """Unsubscribe from a thread; without subscribers, the thread is unloaded."""
    from codex_hookspecs.protocol import ThreadUnsubscribeResponse

    check_id(params.thread_id)
    if context.host.threads.get(params.thread_id) is None:
        return ThreadUnsubscribeResponse(status="notLoaded")
    return ThreadUnsubscribeResponse(
        status="unsubscribed" if context.unsubscribe(params.thread_id) else "notSubscribed"
    )


def _check_words(params: ThreadStartParams | ThreadResumeParams) -> None:
    """Check what must be one of some words.

    :raises RpcError: when it is not.
    """
    from codex_app_server.turns.overrides import check_words  # Not needed in ordinary turns.

    check_words(params)


def _warn(thread: LoadedThread, overrides: Mapping[str, Any] | None, context: RpcContext) -> None:
    """Send the warnings about a thread's configuration after the response; clients inside the program get them later.

    A warning that the thread has sent before is not sent again, and its first turn sends what is left.
    """
    if context.transport == IN_PROCESS:
        return

    async def send() -> None:
        for text in context.host.config.for_directory(thread.settings.cwd, overrides or None).warnings():
            await thread.warn(text)

    context.after_response(send)


@contextmanager
def explained(params: ThreadResumeParams | ThreadForkParams) -> Iterator[None]:
    """Check the id unless a path is given, which takes precedence; tell in Codex's words that there is no thread.

    :raises RpcError: when the id is none, or there is no such thread.
    """
    if params.path is None:
        check_id(params.thread_id)
    try:
        yield
    except ThreadNotFound as error:
        message = f"no rollout found for thread id {params.thread_id}" if params.path is None else str(error)
        raise RpcError(message) from error


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


def originator_of(context: RpcContext) -> str:
    """Return the name of the client, or the one that replaces it, for model requests."""
    return context.host.environ.get(ORIGINATOR_OVERRIDE) or context.client_name
