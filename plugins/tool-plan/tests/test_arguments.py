"""Valid plans, and the error messages for anything else (Codex 0.118, without line and column)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codex_hookspecs.errors import ToolError
from codex_hookspecs.protocol import PlanStep
from codex_tool_plan.arguments import parse_plan


def test_steps_and_explanation_are_read():
    explanation, steps = parse_plan(
        '{"explanation":"why","plan":[{"step":"a","status":"completed"},{"step":"b","status":"in_progress"}]}'
    )

    assert explanation == "why"
    assert steps == (PlanStep("a", "completed"), PlanStep("b", "inProgress"))


@pytest.mark.parametrize("text", ['{"plan":[]}', '{"plan":[],"explanation":null}'])
def test_explanation_and_steps_may_be_missing(text):
    assert parse_plan(text) == (None, ())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "missing field `plan`"),
        ("null", "invalid type: null, expected struct UpdatePlanArgs"),
        ('{"plan":"x"}', 'invalid type: string "x", expected a sequence'),
        ('{"plan":[],"foo":1}', "unknown field `foo`, expected `explanation` or `plan`"),
        ('{"plan":[],"explanation":3}', "invalid type: integer `3`, expected a string"),
        ('{"plan":[{"step":"a"}]}', "missing field `status`"),
        ('{"plan":[{"step":1,"status":"pending"}]}', "invalid type: integer `1`, expected a string"),
        ('{"plan":[{"step":"a","status":"pending","z":1}]}', "unknown field `z`, expected `step` or `status`"),
        (
            '{"plan":[{"step":"a","status":"bad"}]}',
            "unknown variant `bad`, expected one of `pending`, `in_progress`, `completed`",
        ),
        ('{"plan":[true]}', "invalid type: boolean `true`, expected struct PlanItemArg"),
        ('{"plan":', "Expecting value: line 1 column 9 (char 8)"),
    ],
)
def test_other_arguments_are_refused(text, message):
    with pytest.raises(ToolError) as caught:
        parse_plan(text)

    assert str(caught.value) == f"failed to parse function arguments: {message}"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["plan", "step", "status"]), inner),
    max_leaves=8,
)


@given(json_values)
def test_any_json_is_accepted_or_refused(value):
    import json

    try:
        _, steps = parse_plan(json.dumps(value))
    except ToolError as error:
        refusal = str(error)
    else:
        refusal = None
        assert len(steps) == len(value["plan"])

    assert refusal is None or refusal.startswith("failed to parse function arguments: ")
