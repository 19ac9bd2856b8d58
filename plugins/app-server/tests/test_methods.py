"""Every request of the protocol has an answer."""

from __future__ import annotations

import pytest

from codex_app_server.methods import methods
from codex_app_server.program.unavailable import PLUGINS, SUBJECTS, unavailable_methods

REQUESTS = [
    "initialize",
    "thread/start",
    "thread/resume",
    "thread/fork",
    "thread/archive",
    "thread/unsubscribe",
    "thread/increment_elicitation",
    "thread/decrement_elicitation",
    "thread/name/set",
    "thread/metadata/update",
    "thread/unarchive",
    "thread/compact/start",
    "thread/shellCommand",
    "thread/backgroundTerminals/clean",
    "thread/rollback",
    "thread/list",
    "thread/loaded/list",
    "thread/read",
    "skills/list",
    "plugin/list",
    "plugin/read",
    "app/list",
    "fs/readFile",
    "fs/writeFile",
    "fs/createDirectory",
    "fs/getMetadata",
    "fs/readDirectory",
    "fs/remove",
    "fs/copy",
    "fs/watch",
    "fs/unwatch",
    "skills/config/write",
    "plugin/install",
    "plugin/uninstall",
    "turn/start",
    "turn/steer",
    "turn/interrupt",
    "thread/realtime/start",
    "thread/realtime/appendAudio",
    "thread/realtime/appendText",
    "thread/realtime/stop",
    "review/start",
    "model/list",
    "experimentalFeature/list",
    "experimentalFeature/enablement/set",
    "collaborationMode/list",
    "mock/experimentalMethod",
    "mcpServer/oauth/login",
    "config/mcpServer/reload",
    "mcpServerStatus/list",
    "windowsSandbox/setupStart",
    "account/login/start",
    "account/login/cancel",
    "account/logout",
    "account/rateLimits/read",
    "feedback/upload",
    "command/exec",
    "command/exec/write",
    "command/exec/terminate",
    "command/exec/resize",
    "config/read",
    "externalAgentConfig/detect",
    "externalAgentConfig/import",
    "config/value/write",
    "config/batchWrite",
    "configRequirements/read",
    "account/read",
    "getConversationSummary",
    "gitDiffToRemote",
    "getAuthStatus",
    "fuzzyFileSearch",
    "fuzzyFileSearch/sessionStart",
    "fuzzyFileSearch/sessionUpdate",
    "fuzzyFileSearch/sessionStop",
]
"""Requests of clients that 0.118 knows."""

EXPERIMENTAL = {
    "thread/increment_elicitation",
    "thread/decrement_elicitation",
    "thread/backgroundTerminals/clean",
    "thread/realtime/start",
    "thread/realtime/appendAudio",
    "thread/realtime/appendText",
    "thread/realtime/stop",
    "collaborationMode/list",
    "mock/experimentalMethod",
    "fuzzyFileSearch/sessionStart",
    "fuzzyFileSearch/sessionUpdate",
    "fuzzyFileSearch/sessionStop",
}
"""Those that need the capability there."""


def test_every_request_of_0118_is_served_or_refused_in_words() -> None:
    own = {method.name for method in methods()}

    assert {"initialize", *own, *SUBJECTS, *PLUGINS} >= set(REQUESTS)
    assert own.isdisjoint(SUBJECTS), "these are served now: leave them out of the table"


@pytest.mark.parametrize("method", [*methods(), *unavailable_methods()], ids=lambda method: method.name)
def test_types_exist_and_the_same_methods_are_experimental(method) -> None:
    if method.name in REQUESTS:
        assert method.experimental == (method.name in EXPERIMENTAL)
    for kind in (method.params, method.result):
        assert kind is None or isinstance(kind, type) or kind() is not None
