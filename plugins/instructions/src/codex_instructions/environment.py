"""Describe the machine and the moment to the model (form of Codex 0.118)."""

from __future__ import annotations


def environment_text(cwd: str, shell: str, date: str, timezone: str) -> str:
    """Return the environment fragment.

    :param shell: path of the user's shell; its name is told.
    """
    name = shell.replace("\\", "/").rpartition("/")[2].removesuffix(".exe") or "sh"
    facts = (("cwd", cwd), ("shell", name), ("current_date", date), ("timezone", timezone))
    lines = [f"  <{tag}>{value}</{tag}>" for tag, value in facts]
    return "\n".join(["<environment_context>", *lines, "</environment_context>"])
