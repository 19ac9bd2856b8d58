"""Every request of the protocol has an answer."""

from __future__ import annotations

import pytest

from codex_app_server.methods import methods
from codex_app_server.program.unavailable import PLUGINS, SUBJECTS, unavailable_methods
from codex_hookspecs.surface import RpcMethod
from protocol_0118.comparison import FACTS

REQUESTS = FACTS["requests"]
OLDER_API = {"getAuthStatus", "getConversationSummary", "gitDiffToRemote"}
"""Requests that 0.118 answers and its schema leaves out."""


def test_every_request_of_0118_is_served_or_refused_in_words() -> None:
    own = {method.name for method in methods()}

    assert {"initialize", *own, *SUBJECTS, *PLUGINS} >= {*REQUESTS, *OLDER_API}
    assert own.isdisjoint({*SUBJECTS, *PLUGINS}), "these are served now: leave them out of the tables"


@pytest.mark.parametrize("method", unavailable_methods(), ids=lambda method: method.name)
def test_what_is_not_available_has_the_types_of_0118(method: RpcMethod) -> None:
    loaded = [kind if kind is None or isinstance(kind, type) else kind() for kind in (method.params, method.result)]
    names = [getattr(kind, "__name__", None) for kind in loaded]

    params, result, *experimental = REQUESTS.get(method.name, names)
    assert names == [params, result]
    assert method.experimental == bool(experimental)
