"""What an implementation must look like; one that does not fit is refused with the fix, and nothing stays behind."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from codex_hookspecs import PreToolUseVerdict, StopEvent, StopVerdict, UserPromptSubmitEvent, hookimpl
from codex_hookspecs.errors import HookSpecError
from codex_hookspecs.types.lifecycle import LifecycleEvent
from codex_host.plugins.registry import Registry


def plugin(**implementations: Any) -> object:
    """Return a plugin with marked functions."""
    return SimpleNamespace(**{name: hookimpl(function) for name, function in implementations.items()})


def refusal(given: object) -> str:
    """Register a plugin that does not fit and return what is said."""
    registry = Registry()
    with pytest.raises(HookSpecError) as caught:
        registry.register(given, "noisy")
    assert registry.manager.list_name_plugin() == []
    assert caught.value.plugin == "noisy"
    return str(caught.value)


def test_an_event_must_be_asynchronous() -> None:
    def stop(event: StopEvent) -> None: ...

    assert refusal(plugin(stop=stop)) == (
        "plugin 'noisy', hook 'stop': found 'def stop', write 'async def stop'"
        f" ({__file__}:{stop.__code__.co_firstlineno})"
    )


def test_an_offer_must_not_be_asynchronous() -> None:
    async def tools(thread: Any) -> None: ...

    assert refusal(plugin(tools=tools)) == (
        "plugin 'noisy', hook 'tools': found 'async def tools', write 'def tools'"
        f" ({__file__}:{tools.__code__.co_firstlineno})"
    )


def test_a_choice_must_not_be_asynchronous() -> None:
    async def thread_store() -> None: ...

    assert "found 'async def thread_store', write 'def thread_store'" in refusal(plugin(thread_store=thread_store))


def test_an_unknown_argument_is_named_with_those_that_exist() -> None:
    async def stop(event: StopEvent, tread: Any) -> None: ...

    assert "unknown argument 'tread', a stop implementation can take: event, scope, host" in refusal(plugin(stop=stop))


def test_a_misspelt_hook_gets_a_suggestion() -> None:
    async def sesion_start(event: Any) -> None: ...

    assert refusal(plugin(sesion_start=sesion_start)) == (
        "there is no hook 'sesion_start'; did you mean 'session_start'?"
        f" ({__file__}:{sesion_start.__code__.co_firstlineno})"
    )


def test_a_name_that_resembles_nothing_gets_the_list() -> None:
    async def xyzzy(event: Any) -> None: ...

    assert "there is no hook 'xyzzy'; hooks are: analytics_sink, app_server" in refusal(plugin(xyzzy=xyzzy))


def test_an_argument_annotated_with_another_type_is_refused() -> None:
    async def stop(event: UserPromptSubmitEvent) -> None: ...

    assert "event is annotated UserPromptSubmitEvent, it is a StopEvent" in refusal(plugin(stop=stop))


def test_an_answer_annotated_with_another_verdict_is_refused() -> None:
    async def stop(event: StopEvent) -> PreToolUseVerdict | None: ...

    assert "it is annotated to return PreToolUseVerdict, it is to return StopVerdict | None" in refusal(
        plugin(stop=stop)
    )


def test_wrappers_are_refused() -> None:
    def tools(thread: Any) -> Any:
        return (yield)

    wrapping = SimpleNamespace(tools=hookimpl(tools, wrapper=True))

    assert "found a wrapper, write a plain implementation" in refusal(wrapping)


@pytest.mark.parametrize("how", ["default", "keyword-only"])
def test_arguments_that_would_never_be_filled_are_refused(how: str) -> None:
    async def with_default(event: StopEvent, host: Any = None) -> None: ...
    async def keyword_only(*, event: StopEvent) -> None: ...

    given = plugin(stop=with_default if how == "default" else keyword_only)

    assert "found a default or keyword-only argument, which is never filled" in refusal(given)


def test_a_class_is_refused_where_an_instance_belongs() -> None:
    class Noisy:
        @hookimpl
        async def stop(self, event: StopEvent) -> None: ...

    assert "found a class, let the entry point name an instance of it" in refusal(Noisy)


def test_an_object_that_is_no_function_is_refused() -> None:
    class Callable:
        codex_impl = {"specname": None}

        def __call__(self) -> None: ...

    assert "found a Callable, write a function" in refusal(SimpleNamespace(thread_store=Callable()))


def test_one_unfit_implementation_keeps_the_whole_plugin_out() -> None:
    registry = Registry()

    async def stop(event: StopEvent) -> None: ...
    def session_end(event: Any) -> None: ...

    with pytest.raises(HookSpecError):
        registry.register(plugin(stop=stop, session_end=session_end), "noisy")

    assert registry.manager.hook.stop.get_hookimpls() == []


def test_one_plugin_is_not_registered_twice() -> None:
    registry = Registry()

    async def stop(event: StopEvent) -> None: ...

    given = plugin(stop=stop)
    registry.register(given, "first")

    with pytest.raises(HookSpecError):
        registry.register(given, "second")

    assert [name for name, _ in registry.manager.list_name_plugin()] == ["first"]


def test_fitting_implementations_are_listed() -> None:
    class Fitting:
        @hookimpl
        async def stop(self, event: LifecycleEvent, host: Any) -> StopVerdict | None: ...

        @hookimpl(specname="session_end")
        async def goodbye(self) -> None: ...

        @hookimpl
        def tools(self, thread: "NowhereToBeFound") -> list: ...  # type: ignore[name-defined] # noqa: F821, UP037

        async def pre_tool_use(self, event: Any) -> None:
            """Carry the name of a hook without the mark."""

    assert Registry().register(Fitting(), "fitting") == ("session_end", "stop", "tools")
