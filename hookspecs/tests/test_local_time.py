"""The local time zone has a name."""

from __future__ import annotations

import re

import pytest

from codex_hookspecs.local_time import local_date, local_timezone


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        (":Asia/Tokyo", "Asia/Tokyo"),
        ("/usr/share/zoneinfo/Asia/Tokyo", "Asia/Tokyo"),
    ],
)
def test_the_variable_names_it(variable: str, expected: str) -> None:
    assert local_timezone({"TZ": variable}) == expected


def test_without_the_variable_the_machine_does() -> None:
    assert local_timezone({})
    assert "/zoneinfo/" not in local_timezone({})


def test_a_machine_that_does_not_tell_is_on_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("codex_hookspecs.local_time._ZONE_LINK", "/nowhere/localtime")
    monkeypatch.setattr("codex_hookspecs.local_time._ZONE_FILE", "/nowhere/timezone")

    assert local_timezone({}) == "Etc/UTC"


def test_a_date_has_the_usual_form() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", local_date())
