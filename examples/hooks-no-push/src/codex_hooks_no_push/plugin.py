"""Leave pushing to people."""

from codex_hookspecs.lifecycle import PreToolUseEvent, PreToolUseVerdict, hookimpl

REASON = "Pushing is left to people here; say what should be pushed."


@hookimpl
async def pre_tool_use(event: PreToolUseEvent) -> PreToolUseVerdict | None:
    if event.tool_name == "Bash" and "git push" in event.tool_input["command"]:
        return PreToolUseVerdict.deny(REASON)
    return None
