"""Put a whole policy together: its text, and the parameters that carry the paths."""

from __future__ import annotations

import os
from collections.abc import Mapping

from codex_hookspecs import frozen
from codex_hookspecs.sandbox import MacosExtensions
from codex_sandbox_seatbelt.base import base_rules, platform_rules
from codex_sandbox_seatbelt.extensions import extension_rules
from codex_sandbox_seatbelt.files import Canonical, deny_rules, read_rules, write_rules
from codex_sandbox_seatbelt.network import Reach, reach_rules
from codex_sandbox_seatbelt.rules import Parameters
from codex_sandboxing.resolved import ResolvedPolicy


@frozen
class SeatbeltPolicy:
    """A policy in the language of the macOS sandbox.

    :param text: what ``sandbox-exec -p`` takes.
    :param parameters: what it takes as ``-DNAME=VALUE``, in order.
    """

    text: str
    parameters: tuple[tuple[str, str], ...]


def seatbelt_policy(  # noqa: PLR0917
    files: ResolvedPolicy,
    reach: Reach,
    env: Mapping[str, str],
    cache: str,
    extensions: MacosExtensions | None = None,
    canonical: Canonical = os.path.realpath,
    home: str | None = None,
) -> SeatbeltPolicy:
    """Return the policy for a command.

    :param files: the file system policy where the command runs.
    :param env: its environment, which names the proxies.
    :param cache: the user's directory for caches.
    :param canonical: gives the real place of a path (``/var`` is ``/private/var``), which is what the sandbox sees.
    :param home: ``$CODEX_HOME``, which commands can't write.
    :raises SandboxUnavailable: when the policy can't be held.
    """
    parameters: Parameters = []
    sections = [
        base_rules(),
        read_rules(files, parameters, canonical),
        write_rules(files, parameters, canonical, home),
        reach_rules(reach, env, parameters, cache),
        extension_rules(extensions) if extensions is not None else "",
        platform_rules() if files.platform_defaults else "",
        # What is denied comes last, because the last rule that matches decides.
        deny_rules(files, parameters, canonical),
    ]
    return SeatbeltPolicy("\n".join(filter(None, sections)), tuple(parameters))
