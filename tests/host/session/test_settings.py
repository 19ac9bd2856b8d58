"""A thread's sandbox policy comes from the client, the mode of the configuration, or its default profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.protocol import ThreadStartParams
from codex_host.session.settings import resolve_settings

DENYING = {"filesystem": {":root": "read", "/srv/secrets": "none"}}


@pytest.mark.parametrize(
    ("table", "params", "kind"),
    [
        ({}, {}, "readOnly"),
        ({"default_permissions": ":workspace"}, {}, "workspaceWrite"),
        ({"default_permissions": ":workspace", "sandbox_mode": "read-only"}, {}, "readOnly"),
        ({"default_permissions": ":workspace"}, {"sandbox": "danger-full-access"}, "dangerFullAccess"),
        ({"default_permissions": "own", "permissions": {"own": DENYING}}, {"sandbox": "read-only"}, "readOnly"),
    ],
)
def test_the_nearest_to_the_user_decides(
    table: dict[str, Any], params: dict[str, Any], kind: str, tmp_path: Path
) -> None:
    assert resolve_settings(table, ThreadStartParams(**params), cwd=str(tmp_path)).sandbox.kind == kind


def test_a_profile_that_threads_can_not_hold_is_no_weaker_policy_but_an_error(tmp_path: Path) -> None:
    table = {"default_permissions": "own", "permissions": {"own": DENYING}}

    with pytest.raises(ConfigError, match="default_permissions names 'own'"):
        resolve_settings(table, ThreadStartParams(), cwd=str(tmp_path))
