"""Assemble a policy: its text and the parameters that carry the paths."""

from __future__ import annotations

import os
from collections.abc import Mapping

from codex_hookspecs import frozen
from codex_hookspecs.sandbox import MacosExtensions
from codex_sandbox_seatbelt.base import base_rules, platform_rules
from codex_sandbox_seatbelt.extensions import extension_rules
from codex_sandbox_seatbelt.files import Canonical, deny_rules, read_rules, write_rules
from codex_sandbox_seatbelt.network import NetworkAccess, network_rules
from codex_sandbox_seatbelt.rules import Parameters
from codex_sandboxing.resolved import ResolvedPolicy


@frozen
class SeatbeltPolicy:
    """A policy in the language of the macOS sandbox (SBPL).

    :param text: argument of ``sandbox-exec -p``.
    :param parameters: names and values for ``-DNAME=VALUE``, in order.
    """

    text: str
    parameters: tuple[tuple[str, str], ...]


def seatbelt_policy(  # noqa: PLR0917
    files: ResolvedPolicy,
    access: NetworkAccess,
    env: Mapping[str, str],
    cache: str,
    extensions: MacosExtensions | None = None,
    canonical: Canonical = os.path.realpath,
    home: str | None = None,
) -> SeatbeltPolicy:
    """Return the policy for a command.

    :param files: the file system policy, resolved for the command's directory.
    :param env: the command's environment, which names the proxies.
    :param cache: the user's cache directory.
    :param canonical: resolves symbolic links (``/var`` is ``/private/var``); the sandbox sees resolved paths.
    :param home: ``$CODEX_HOME``, which commands can't write.
    :raises SandboxUnavailable: when the policy can't be enforced.
    """
    parameters: Parameters = []
    sections = [
        base_rules(),
        read_rules(files, parameters, canonical),
        write_rules(files, parameters, canonical, home),
        network_rules(access, env, parameters, cache),
        extension_rules(extensions) if extensions is not None else "",
        platform_rules() if files.platform_defaults else "",
        # Denials come last, because the last matching rule decides.
        deny_rules(files, parameters, canonical),
    ]
    return SeatbeltPolicy("\n".join(filter(None, sections)), tuple(parameters))
