"""The small plugins that pages show beside the examples work as they stand there."""

from __future__ import annotations

import re
import types
from pathlib import Path

from codex_exec_local import plugin as exec_local

KINDS = Path(__file__).parents[1] / "docs" / "kinds"


def shown(page: str, beginning: str) -> types.SimpleNamespace:
    """Run a listing of a page and return what it defines."""
    listings = re.findall(r"```python\n(.*?)```", (KINDS / page).read_text(), re.DOTALL)
    (listing,) = [each for each in listings if each.startswith(beginning)]
    module = types.ModuleType("shown")
    exec(compile(listing, page, "exec"), vars(module))
    return module


async def test_the_smallest_provider_answers(host) -> None:
    plugin = shown("model-provider.md", "from codex_hookspecs.models import Completed, ItemDone, ModelProvider")

    run = await host(plugins=[plugin], config={"model_provider": "echo"}).turn("hello")

    assert run.final_message == "you said: hello"


async def test_a_tool_that_asks_its_context_runs(host, model) -> None:
    tool = shown("tool.md", "from codex_hookspecs.tools import Tool, ToolContext, ToolError").tool
    plugin = types.ModuleType("lines")
    exec(
        "from codex_hookspecs import hookimpl\n\n@hookimpl\ndef tools():\n    return [tool]",
        {**vars(plugin), "tool": tool},
        vars(plugin),
    )
    calls = [{"call": "count_lines", "args": {"path": path}, "call_id": path} for path in ("a.txt", "/etc/passwd")]
    agent = model(calls, "counted")

    await host(plugins=[plugin, exec_local], model=agent, files={"a.txt": "1\n2\n"}).turn("count")

    assert agent.output("a.txt") == "2"
    assert agent.output("/etc/passwd") == "give a path relative to the workspace"
