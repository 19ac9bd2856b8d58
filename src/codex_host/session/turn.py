"""Run one turn: hooks, context, model requests, tool calls, stop hooks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

import attrs

from codex_hookspecs.errors import CodexError, ModelError
from codex_hookspecs.ids import uuid4
from codex_hookspecs.local_time import local_date, local_timezone
from codex_hookspecs.tracing import current_trace
from codex_hookspecs.types.items import HookPrompt, HookPromptFragment
from codex_hookspecs.types.models import Completed, ModelRequest
from codex_hookspecs.types.storage import TurnBegan
from codex_hookspecs.types.threads import TurnError
from codex_host.platform import SANDBOX_TAG
from codex_host.plugins.signatures import InvalidResult
from codex_host.plugins.tasks import complete_despite_cancellation, run_task
from codex_host.session.response_items import (
    continuation_message,
    fragment_messages,
    message,
    text_of,
)
from codex_host.session.response_reader import ResponseReader
from codex_host.session.turn_state import CURRENT_TURN, TurnInterrupted, TurnState
from codex_host.session.user_agent import user_agent

if TYPE_CHECKING:
    from codex_hookspecs.ports.threads import Action
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.lifecycle import StopVerdict
    from codex_hookspecs.types.threads import TurnStatus
    from codex_hookspecs.types.tools import ToolCall
    from codex_host.plugins.places import Places
    from codex_host.session.thread_state import ThreadState

MAX_STOP_BLOCKS = 10
"""Default of ``hooks.max_stop_blocks``: how often stop hooks may continue a turn."""


class TurnRun:
    """One turn of a thread.

    :param content: initial user inputs, in wire form; ``None`` for the turn of an action.
    :param action: what the user does in it, instead of writing to the model.
    :param review: what it reviews, if it is a review, for which ``session_start`` and ``stop`` hooks are not called.
    :ivar state: the state of the turn.
    """

    def __init__(
        self,
        thread: ThreadState,
        turn_id: str,
        content: Sequence[JsonObject] | None,
        *,
        action: Action | None = None,
        review: str | None = None,
    ) -> None:
        self.state = TurnState(thread, turn_id, review=review)
        if content is not None:
            self.state.pending.append(content)
        self._thread = thread
        self._content = content
        self._actions: set[asyncio.Task[None]] = set()
        self._interrupted = False
        self._announced = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name=f"work {turn_id}")
        if action is not None:
            self.act(action)

    @property
    def id(self) -> str:
        """Id of the turn."""
        return self.state.id

    @property
    def open(self) -> bool:
        """Whether what is added to it still becomes part of it."""
        return not self._interrupted and not self._task.done()

    def interrupt(self) -> None:
        """Interrupt the turn."""
        self._interrupted = True
        self._task.cancel()

    def add(self, content: Sequence[JsonObject]) -> bool:
        """Add user inputs for the next model request; return ``False`` if the turn takes nothing any more."""
        if self.open:
            self.state.pending.append(content)
        return self.open

    def inject(self, items: Sequence[JsonObject]) -> bool:
        """Add items to the history before the next model request; return ``False`` if it takes nothing any more."""
        if self.open:
            self.state.injected.extend(items)
        return self.open

    def act(self, action: Action) -> bool:
        """Begin an action of the user, for which the turn waits; return ``False`` if it takes nothing any more."""
        if self.open:
            task = asyncio.create_task(self._act(action), name=f"action {self.id}")
            self._actions.add(task)
            task.add_done_callback(self._actions.discard)
        return self.open

    async def finish(self) -> tuple[TurnStatus, TurnError | None]:
        """Run the turn after clients were notified of it; return its final status, and the error if it failed."""
        self._announced.set()
        await asyncio.wait({self._task})
        status, error = self._outcome()
        if status != "completed":
            try:
                from codex_host.session.unfinished import leave

                await leave(self.state, self._actions, interrupted=status == "interrupted")
            except Exception:  # Whatever is missing, even files that can be opened, the turn ends.
                self._thread.host.logger("host").warning("after an unfinished turn", exc_info=True)
        return status, error

    async def _run(self) -> None:
        """Run the turn.

        :raises ModelError: when the model can't be reached.
        :raises TurnInterrupted: when a client's answer cancelled the turn.
        """
        thread = self._thread
        CURRENT_TURN.set((thread.id, self.id))
        await self._announced.wait()
        for warning in (*thread.host.startup_warnings(), *thread.first_warnings, *thread.tools.remarks):
            await thread.warn(warning)
        await self._begin()
        if self.state.review is not None:
            from codex_host.session.reviewing import enter_review

            await enter_review(self.state, self.state.review)
        if self._content is None:
            while self._actions:
                await asyncio.wait(self._actions)
            await self._add_injected()
        pending = self.state.pending
        if not pending or not await self._session_start():
            return
        submitted = await self._submit_next()
        while pending and not submitted:
            submitted = await self._submit_next()
        if submitted:
            await self._work()

    async def _begin(self) -> None:
        thread, settings = self._thread, self.state.settings
        offered = await thread.hooks.instruction_fragments(thread, settings, warn=thread.warn)
        fragments = sorted(offered, key=lambda fragment: (fragment.order, fragment.key))
        self.state.instructions = "\n\n".join(part.text for part in fragments if part.place == "base")
        began = TurnBegan(
            turn_id=self.id,
            settings=attrs.evolve(settings, base_instructions=self.state.instructions),
            current_date=local_date(),
            timezone=local_timezone(thread.host.environ),
            counts_tokens=self.state.model_info.counts_tokens,
        )
        await thread.record(began)
        await thread.remember(self.id, *fragment_messages(fragments, thread.fragments, thread.history))

    async def _session_start(self) -> bool:
        thread = self._thread
        if self.state.review is not None:
            return True
        source, thread.start_source = thread.start_source, None
        if source is None or not thread.hooks.session_start.enabled(thread):
            return True
        await thread.begin_file()
        from codex_hookspecs.types.lifecycle import SessionStartEvent

        event = SessionStartEvent(**self.state.event_fields(), source=source)  # type: ignore[arg-type]
        verdict = await thread.hooks.session_start(event, self.state.scope())
        await self._add_contexts(verdict.contexts)
        return verdict.stop_reason is None

    async def _submit_next(self) -> bool:
        """Add the next pending input to the history; return whether hooks let it pass."""
        thread, content = self._thread, self.state.pending[0]
        contexts: tuple[str, ...] = ()
        if thread.hooks.user_prompt_submit.enabled(thread):
            await thread.begin_file()
            from codex_hookspecs.types.lifecycle import UserPromptSubmitEvent

            event = UserPromptSubmitEvent(**self.state.event_fields(), prompt=text_of(content))
            verdict = await thread.hooks.user_prompt_submit(event, self.state.scope())
            if verdict.block_reason is not None or verdict.stop_reason is not None:
                del self.state.pending[0]
                await self._add_contexts(verdict.contexts)
                return False
            contexts = verdict.contexts
        del self.state.pending[0]
        await complete_despite_cancellation(self.state.add_prompt(content))
        await self._add_contexts(contexts)
        if thread.usage.total.total_tokens and content is self._content:
            # Token usage is sent again at the start of later turns (0.118).
            await thread.notify_usage(self.id)
        return True

    async def _add_contexts(self, contexts: Sequence[str]) -> None:
        if contexts:
            await self._thread.remember(self.id, *(message("developer", text) for text in contexts))

    async def _work(self) -> None:
        thread = self._thread
        ceiling = thread.config.get("hooks", {}).get("max_stop_blocks", MAX_STOP_BLOCKS)
        await self._add_pending()
        while True:
            calls = await self._sample()
            if calls:
                from codex_host.session.tool_calls import run_calls

                await run_calls(self.state, calls)
            if self.state.diff is not None:
                # The diff is sent again after each response and its calls, for clients that subscribed late (0.118).
                await thread.notify(self.state.diff)
            if calls:
                await self._add_pending()
                continue
            if await self._settle_actions():
                continue
            verdict = await self._stop(active=self.state.stop_blocks > 0)
            if verdict is not None and verdict.stop_reason is None and verdict.prompts:
                if self.state.stop_blocks < ceiling:
                    self.state.stop_blocks += 1
                    await self._continue_with(verdict)
                    await self._add_pending()
                    continue
                await thread.warn(
                    f"Stop hooks sent the agent back to work {self.state.stop_blocks} times in this turn; "
                    f"the turn ends here (hooks.max_stop_blocks = {ceiling})"
                )
            # What arrived during the hooks is answered, whatever they decided about the work before it.
            if not await self._settle_actions():
                return

    async def _add_pending(self) -> bool:
        """Append pending input to the history; return whether there is anything new for the model."""
        thread, state = self._thread, self.state
        before = len(thread.history)
        while state.pending or state.injected:
            await self._add_injected()
            if state.pending:
                await self._submit_next()
        contexts = [thread.contexts.pop(0) for _ in tuple(thread.contexts)]
        await self._add_contexts(contexts)
        return len(thread.history) > before

    async def _add_injected(self) -> None:
        while self.state.injected:
            await self._thread.remember(self.id, self.state.injected.pop(0))

    async def _settle_actions(self) -> bool:
        """Wait for the user's actions; return whether there is anything new for the model.

        Nothing is added between a negative answer and the caller's next step, so that the turn can end.
        """
        while self._actions and not self.state.pending:
            await asyncio.wait(self._actions)
        return await self._add_pending()

    async def _act(self, action: Action) -> None:
        await self._announced.wait()
        from codex_host.session.actions import perform

        await perform(self.state, action)

    async def _sample(self) -> list[ToolCall]:
        thread = self._thread
        observed = thread.hooks.pre_model_request.enabled(thread) or thread.hooks.post_model_request.enabled(thread)
        if observed:
            from codex_hookspecs.types.lifecycle import PostModelRequestEvent, PreModelRequestEvent

            before = PreModelRequestEvent(**self.state.event_fields())
            await thread.hooks.pre_model_request(before, self.state.scope())
        reader = ResponseReader(self.state)
        done: Completed | None = None
        error: str | None = None
        try:
            done = await self._read(reader)
        except ModelError as failure:
            error = failure.message
            raise
        finally:
            if observed:
                after = PostModelRequestEvent(
                    **self.state.event_fields(),
                    status="failed" if done is None else "completed",
                    error=error,
                    token_usage=None if done is None else done.usage,
                )
                await thread.hooks.post_model_request(after, self.state.scope())
        return reader.calls

    async def _read(self, reader: ResponseReader) -> Completed:
        """Read one response; the provider runs in a separate task, which is abandoned if it ignores an interrupt.

        :raises ModelError: when the request failed, or the provider did.
        """
        thread = self._thread
        failures = thread.failures

        async def stream() -> Completed:
            done: Completed | None = None
            async with aclosing(thread.model.stream(self._request())) as events:  # type: ignore[type-var]
                async for happening in events:
                    if type(happening) is Completed:
                        done = happening
                    await reader.handle(happening)
            if done is None:
                raise InvalidResult("ended the stream without completing the response")
            return done

        async def left_behind(places: Places) -> None:
            await thread.warn(
                failures.report_left_behind("the model provider", thread.model_owner, places, thread.model.stream)
            )

        try:
            done: Completed = await run_task(stream, on_left_behind=left_behind)
        except Exception as error:
            if isinstance(error, CodexError) or error is reader.failure:
                raise
            message = failures.report("the model provider", thread.model_owner, error, thread.model.stream)
            raise ModelError(message) from error
        finally:
            reader.close()
        return done

    def _request(self) -> ModelRequest:
        thread, settings = self._thread, self.state.settings
        sandbox = "none" if settings.sandbox.unrestricted else SANDBOX_TAG
        known = self.state.model_info
        return ModelRequest(
            thread_id=thread.id,
            turn_id=self.id,
            model=settings.model,
            instructions=self.state.instructions,
            input=thread.answered_history(),
            tools=tuple(
                tool.spec if tool.spec_for is None else tool.spec_for(settings.model) for tool in thread.tools.values()
            ),
            reasoning_effort=settings.reasoning_effort or known.reasoning_effort,
            reasoning_summary=settings.reasoning_summary or known.reasoning_summary,
            verbosity=settings.verbosity,
            output_schema=settings.output_schema,
            service_tier=settings.service_tier,
            originator=settings.originator,
            user_agent=user_agent(
                settings.originator, thread.host.version, settings.client_version, thread.host.environ
            ),
            metadata={"session_id": thread.id, "turn_id": self.id, "sandbox": sandbox},
            turn_state=self.state.provider_state,
            trace=current_trace(),
        )

    async def _stop(self, *, active: bool) -> StopVerdict | None:
        thread = self._thread
        if self.state.review is not None or not thread.hooks.stop.enabled(thread):
            return None
        from codex_hookspecs.types.lifecycle import StopEvent

        event = StopEvent(
            **self.state.event_fields(), stop_hook_active=active, last_assistant_message=self.state.last_message
        )
        return await thread.hooks.stop(event, self.state.scope())

    async def _continue_with(self, verdict: StopVerdict) -> None:
        thread = self._thread
        item_id = uuid4()
        await self._add_contexts(verdict.contexts)
        await thread.remember(self.id, continuation_message(verdict.prompts))
        fragments = tuple(HookPromptFragment(prompt.text, prompt.run_id) for prompt in verdict.prompts)
        item = HookPrompt(id=item_id, fragments=fragments)
        await thread.start_item(self.id, item)
        await thread.complete_item(self.id, item)

    def _outcome(self) -> tuple[TurnStatus, TurnError | None]:
        work = self._task
        if work.cancelled():
            return "interrupted", None
        failure = work.exception()
        if failure is None:
            return "completed", None
        if isinstance(failure, TurnInterrupted):
            return "interrupted", None
        if isinstance(failure, ModelError):
            return "failed", TurnError(failure.message, failure.info, additional_details=failure.details)
        if not isinstance(failure, CodexError):
            self._thread.host.logger("host").warning("turn failed", exc_info=failure)
            return "failed", TurnError(f"internal error: {type(failure).__name__}: {failure}", "other")
        return "failed", TurnError(str(failure), "other")
