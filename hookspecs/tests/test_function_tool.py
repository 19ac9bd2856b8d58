"""Tools made of plain functions."""

from __future__ import annotations

import asyncio
import enum
import functools
import json
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest

from codex_hookspecs.errors import ToolError
from codex_hookspecs.types.threads import TokenUsage
from codex_hookspecs.types.tools import Tool, ToolCall, ToolOutput

if TYPE_CHECKING:
    from codex_hookspecs.ports.tools import ToolContext

pytestmark = pytest.mark.anyio


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


def roll_dice(sides: int = 6, times: int = 1) -> str:
    """Roll dice
    and add them up.

    More that only people read.

    :param sides: faces
        of each die
    :param int times: how often
    """
    return f"{times}d{sides}"


async def given(tool: Tool, arguments: Any = None, context: Any = None) -> ToolOutput:
    text = arguments if isinstance(arguments, str) else json.dumps(arguments or {})
    return await tool.run(ToolCall(call_id="c", name=tool.name, arguments=text), context)


def schema_of(annotation: Any) -> Any:
    def probe(value) -> None: ...

    probe.__annotations__["value"] = annotation
    return Tool.from_function(probe).spec["parameters"]["properties"]["value"]


def test_name_description_and_schema_come_from_the_function() -> None:
    assert Tool.from_function(roll_dice).spec == {
        "type": "function",
        "name": "roll_dice",
        "description": "Roll dice and add them up.",
        "strict": False,
        "parameters": {
            "type": "object",
            "properties": {
                "sides": {"type": "integer", "description": "faces of each die"},
                "times": {"type": "integer", "description": "how often"},
            },
            "required": [],
            "additionalProperties": False,
        },
    }


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (str, {"type": "string"}),
        (float, {"type": "number"}),
        (bool, {"type": "boolean"}),
        (Any, {}),
        (dict, {"type": "object", "additionalProperties": True}),
        (Mapping[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (list, {"type": "array", "items": {}}),
        (list[str], {"type": "array", "items": {"type": "string"}}),
        (Sequence[list[int]], {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}),
        (tuple[str, ...], {"type": "array", "items": {"type": "string"}}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (Literal[1, "b"], {"enum": [1, "b"]}),
        (Color, {"type": "string", "enum": ["red", "blue"]}),
        (str | None, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        (Annotated[int, "how many"], {"type": "integer", "description": "how many"}),
        ("list[int]", {"type": "array", "items": {"type": "integer"}}),
    ],
)
def test_annotations_have_their_schema(annotation, schema) -> None:
    assert schema_of(annotation) == schema


@pytest.mark.parametrize("annotation", [bytes, object, tuple[int, str], dict[int, str], list[bytes], Literal[b"x"]])
def test_an_annotation_that_json_cannot_carry_is_refused(annotation) -> None:
    with pytest.raises(TypeError, match="tool probe: parameter 'value'"):
        schema_of(annotation)


def without_annotation(value) -> None: ...


def with_rest(*values: int) -> None: ...


def with_options(**values: int) -> None: ...


def with_position(value: int, /) -> None: ...


def with_unknown(value: Nowhere) -> None: ...  # noqa: F821


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (without_annotation, "tool without_annotation: parameter 'value' has no annotation"),
        (with_rest, "tool with_rest: parameter 'values' can't be given by name"),
        (with_options, "tool with_options: parameter 'values' can't be given by name"),
        (with_position, "tool with_position: parameter 'value' can't be given by name"),
        (with_unknown, "tool with_unknown: the annotation 'Nowhere' is not known when the program runs"),
        (lambda: None, "a tool can't be named '<lambda>'; give a name of letters, digits, '_' and '-' (at most 64)"),
    ],
)
def test_a_function_that_cannot_be_a_tool_is_refused(function, message) -> None:
    with pytest.raises(TypeError) as error:
        Tool.from_function(function)

    assert str(error.value) == message


async def test_defaults_fill_what_the_model_leaves_out() -> None:
    tool = Tool.from_function(roll_dice)

    assert [(await given(tool, arguments)).text for arguments in ("", {}, {"sides": 20})] == ["1d6", "1d6", "1d20"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        ("[]", "expected an object"),
        ({"side": 1}, "unknown field `side`, expected `sides`, `times`"),
        ({"sides": "six"}, 'invalid value "six" for `sides`, expected integer'),
        ({"sides": True}, "invalid value true for `sides`, expected integer"),
        ({"sides": 1.5}, "invalid value 1.5 for `sides`, expected integer"),
        ({"sides": None}, "invalid value null for `sides`, expected integer"),
    ],
)
async def test_arguments_that_do_not_fit_are_told_to_the_model(arguments, message) -> None:
    with pytest.raises(ToolError) as error:
        await given(Tool.from_function(roll_dice), arguments)

    assert str(error.value) == f"failed to parse function arguments: {message}"


async def test_a_missing_argument_is_named() -> None:
    def greet(name: str, title: str | None = None) -> str:
        return f"{title} {name}"

    with pytest.raises(ToolError, match="failed to parse function arguments: missing field `name`"):
        await given(Tool.from_function(greet), {"title": None})


async def test_values_arrive_as_the_function_expects_them() -> None:
    def keep(
        ratio: float, count: int, tags: tuple[str, ...], color: Color, either: int | list[int], table: dict[str, float]
    ) -> list[str]:
        return [repr(value) for value in (ratio, count, tags, color, either, table)]

    arguments = {"ratio": 1, "count": 2.0, "tags": ["a"], "color": "blue", "either": [1], "table": {"a": 1}}

    output = await given(Tool.from_function(keep), arguments)

    assert json.loads(output.text) == ["1.0", "2", "('a',)", "<Color.BLUE: 'blue'>", "[1]", "{'a': 1.0}"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"tags": ["a", 1]}, "invalid value 1 for `tags`[1], expected string"),
        ({"table": {"a": "x"}}, 'invalid value "x" for `table`.a, expected integer'),
        ({"choice": "c"}, 'invalid value "c" for `choice`, expected one of "a", "b"'),
        ({"either": "x"}, 'invalid value "x" for `either`, expected integer; invalid value "x" for `either`, exp'),
        ({"tags": "a"}, 'invalid value "a" for `tags`, expected array'),
        ({"table": []}, "invalid value [] for `table`, expected object"),
    ],
)
async def test_a_fault_inside_an_argument_is_located(value, message) -> None:
    def take(
        tags: list[str] = [],  # noqa: B006
        table: dict[str, int] = {},  # noqa: B006
        choice: Literal["a", "b"] = "a",
        either: int | None = None,
    ) -> None: ...

    with pytest.raises(ToolError) as error:
        await given(Tool.from_function(take), value)

    assert str(error.value).startswith(f"failed to parse function arguments: {message}")


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("as it is", "as it is"),
        ({"a": ["ö", 1]}, '{"a": ["ö", 1]}'),
        (None, "null"),
        (3, "3"),
        ((1, 2), "[1, 2]"),
    ],
)
async def test_results_become_text(result, text) -> None:
    def give() -> Any:
        return result

    assert (await given(Tool.from_function(give))).text == text


async def test_values_of_the_contracts_are_shown_in_their_wire_form() -> None:
    def give() -> Any:
        return [TokenUsage(total_tokens=1)]

    assert json.loads((await given(Tool.from_function(give))).text)[0]["totalTokens"] == 1


async def test_an_output_is_handed_on() -> None:
    output = ToolOutput("no", success=False)

    def give() -> ToolOutput:
        return output

    assert await given(Tool.from_function(give)) is output


async def test_a_result_that_has_no_text_is_a_fault_of_the_function() -> None:
    def give() -> Any:
        return {1, 2}

    with pytest.raises(TypeError, match="give ran, but its result can't be shown"):
        await given(Tool.from_function(give))


async def test_the_context_is_passed_and_is_no_argument_of_the_model() -> None:
    async def where(context: ToolContext, deep: bool = False) -> str:
        return f"{context} {deep}"

    tool = Tool.from_function(where)

    assert (await given(tool, {"deep": True}, context="ctx")).text == "ctx True"
    assert list(tool.spec["parameters"]["properties"]) == ["deep"]


async def test_a_sync_function_runs_in_a_thread_and_an_async_one_in_the_loop() -> None:
    def thread() -> str:
        return str(threading.current_thread() is threading.main_thread())

    async def loop() -> str:
        return str(asyncio.get_running_loop() is not None)

    outputs = [(await given(Tool.from_function(function))).text for function in (thread, loop)]

    assert outputs == ["False", "True"]


async def test_waiting_for_a_sync_function_can_be_given_up() -> None:
    begun, release = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        release.wait(10)

    task = asyncio.create_task(given(Tool.from_function(hang)))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()

    done, _ = await asyncio.wait([task], timeout=5)

    assert done
    release.set()


@pytest.mark.parametrize("error", [ToolError("told"), ValueError("bug"), StopIteration()])
async def test_what_the_function_raises_comes_out(error) -> None:
    def fail() -> None:
        raise error

    expected = RuntimeError if isinstance(error, StopIteration) else type(error)
    with pytest.raises(expected):
        await given(Tool.from_function(fail))


async def test_methods_partials_and_callable_objects_can_be_tools() -> None:
    class Box:
        def look(self, at: str) -> str:
            """Look."""
            return at

        def __call__(self, at: str) -> str:
            return at

    tools = [
        Tool.from_function(Box().look),
        Tool.from_function(functools.partial(roll_dice, times=2)),
        Tool.from_function(Box()),
        Tool.from_function(lambda: "x", name="x"),
    ]

    assert [tool.name for tool in tools] == ["look", "roll_dice", "Box", "x"]
    assert [(await given(tool, arguments)).text for tool, arguments in zip(
        tools, [{"at": "a"}, {}, {"at": "b"}, {}], strict=True
    )] == ["a", "2d6", "b", "x"]  # fmt: skip
