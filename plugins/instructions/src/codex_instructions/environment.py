"""The environment fragment: machine, date and time zone (format of Codex 0.118; without a machine, of 0.169)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from codex_hookspecs.errors import EnvironmentLost

if TYPE_CHECKING:
    from codex_hookspecs.environments import Environment, EnvironmentFacts
    from codex_hookspecs.errors import ExecError

_DEFAULT_TEMPORARY = "/tmp"  # noqa: S108


class Machine(NamedTuple):
    """The machine that a thread works on.

    :param problem: why it can't be used.
    """

    environment: Environment | None = None
    facts: EnvironmentFacts | None = None
    problem: ExecError | None = None

    @property
    def temporary_directory(self) -> str:
        """Directory for temporary files."""
        return self.facts.temporary_directory if self.facts is not None else _DEFAULT_TEMPORARY

    def describe(self, cwd: str) -> list[str]:
        """Return the lines that describe the machine."""
        if self.facts is not None:
            name = self.facts.shell.replace("\\", "/").rpartition("/")[2].removesuffix(".exe") or "sh"
            return [f"  <cwd>{cwd}</cwd>", f"  <shell>{name}</shell>"]
        if not isinstance(self.problem, EnvironmentLost):
            return []
        return [
            "  <environments>",
            f'    <environment id="{self.problem.environment or "remote"}">',
            f"      <cwd>{cwd}</cwd>",
            "      <status>failed</status>",
            f"      <error>exec-server connection attempt failed: {self.problem}</error>",
            "    </environment>",
            "  </environments>",
        ]


def environment_text(place: Sequence[str], date: str, timezone: str) -> str:
    """Return the text of the environment fragment.

    :param place: lines that describe the machine.
    """
    time_lines = [f"  <current_date>{date}</current_date>", f"  <timezone>{timezone}</timezone>"]
    return "\n".join(["<environment_context>", *place, *time_lines, "</environment_context>"])
