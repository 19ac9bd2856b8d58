"""The protocol is that of 0.118, with the differences that are listed and explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from codex_app_server.bindings.catalog import Call, catalog
from codex_app_server.methods import methods
from codex_app_server.program.unavailable import with_unavailable
from protocol_0118.comparison import DIFFERENCES, FACTS, differences

PAGE = Path(__file__).parents[3] / "docs/protocol.md"
METHODS = tuple(with_unavailable(methods()).values())
CATALOG = catalog(METHODS, experimental=True)


def test_types_differ_from_those_of_0_118_as_listed() -> None:
    found = {name: {"0.118": theirs, "ours": ours} for name, (theirs, ours) in differences().items()}

    listed = DIFFERENCES["types"].items()
    assert found == {name: {"0.118": each["0.118"], "ours": each["ours"]} for name, each in listed}


@pytest.mark.parametrize("call", CATALOG.requests, ids=lambda call: call.method)
def test_a_method_of_0_118_has_its_types(call: Call) -> None:
    params, result, *_experimental = FACTS["requests"].get(call.method, (call.params, call.result))

    assert (call.params, call.result) == (params, result)


def test_methods_are_experimental_as_in_0_118() -> None:
    stable = {call.method for call in catalog(METHODS, experimental=False).requests}

    assert [
        call.method
        for call in CATALOG.requests
        if call.method in FACTS["requests"]
        and (call.method in stable) is ("experimental" in FACTS["requests"][call.method])
    ] == []


def test_requests_to_clients_are_those_of_0_118() -> None:
    found = {call.method: [call.params, call.result] for call in CATALOG.server_requests}

    assert found == FACTS["server_requests"]


def test_every_method_of_0_118_has_an_entry() -> None:
    assert FACTS["requests"].keys() - {call.method for call in CATALOG.requests} == set()


def test_every_notification_of_0_118_has_an_entry_with_its_type() -> None:
    known = FACTS["notifications"]

    assert {method: CATALOG.notifications.get(method) for method in known} == known


def test_what_0_118_has_not_is_on_the_page_of_the_protocol() -> None:
    page = PAGE.read_text()
    more = {call.method for call in CATALOG.requests} - FACTS["requests"].keys()
    more |= CATALOG.notifications.keys() - FACTS["notifications"].keys()

    assert [method for method in sorted(more) if f"`{method}`" not in page] == []


def test_every_listed_difference_is_on_the_page_of_the_protocol() -> None:
    page = PAGE.read_text()

    assert [name for name in DIFFERENCES["types"] if f"`{name}`" not in page] == []
    assert [each["why"] for each in DIFFERENCES["types"].values() if each["why"] not in page] == []
