"""Changing a configuration file keeps what people wrote in it."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from codex_hookspecs.errors import ConfigError
from codex_hookspecs.state_file import LOCK_FILE
from codex_host.config.edit import edit_file

WRITTEN = """\
# my settings
model = "gpt"   # the good one

[features]
# experiments
undo = true

[profiles.fast]
model = "small"
"""


def test_comments_and_layout_stay(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(WRITTEN)

    edit_file(str(file), {"features.undo": False, "model": "other"})

    assert file.read_text() == WRITTEN.replace("undo = true", "undo = false").replace('"gpt"', '"other"')


@pytest.mark.parametrize(
    "before",
    [
        "",
        "a = 1",
        "# only a comment",
        "[features]\n",
        "features.undo = true\n",
        "features = { undo = true }\n",
        "[other]\nx = 1\n",
        "[[hooks.Stop]]\nmatcher = 'a'\n[[hooks.Stop]]\nmatcher = 'b'\n",
        "[features.sub]\nx = 1\n[other]\n",
        "a = 1\r\n[features]\r\nundo = true\r\n",
    ],
)
def test_a_key_can_be_added_to_any_file_without_losing_another(tmp_path: Path, before: str) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(before.encode())

    edit_file(str(file), {"features.plugins": True, 'hooks.state."/h/hooks.json:stop:0:0".enabled': False})

    after = tomllib.loads(file.read_bytes().decode())
    kept = tomllib.loads(before)
    assert after["features"].pop("plugins") is True
    assert after["hooks"]["state"] == {"/h/hooks.json:stop:0:0": {"enabled": False}}
    assert after["features"] == kept.get("features", {})
    assert after["hooks"].get("Stop") == kept.get("hooks", {}).get("Stop")
    assert {key: after.get(key) for key in ("a", "other")} == {key: kept.get(key) for key in ("a", "other")}


def test_deleting_takes_the_key_only(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(WRITTEN)

    edit_file(str(file), {"features.undo": None, "never.there": None})

    assert tomllib.loads(file.read_text()) == {
        "model": "gpt",
        "features": {},
        "profiles": {"fast": {"model": "small"}},
    }


def test_a_missing_file_is_made_for_the_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "new" / "config.toml"

    edit_file(str(file), {"a.b": 1})

    assert tomllib.loads(file.read_text()) == {"a": {"b": 1}}
    assert file.stat().st_mode & 0o777 == 0o600


def test_mode_and_link_stay(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "config.toml"
    real.write_text("a = 1\n")
    real.chmod(0o644)
    link.symlink_to(real)

    edit_file(str(link), {"b": 2})

    assert link.is_symlink()
    assert real.read_text() == "a = 1\nb = 2\n"
    assert real.stat().st_mode & 0o777 == 0o644


def test_line_ends_stay(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(b"a = 1\r\n# more\r\n")

    edit_file(str(file), {"a": 2})

    assert file.read_bytes() == b"a = 2\r\n# more\r\n"


@pytest.mark.parametrize("content", [b"= broken", b"\xff\xfe"])
def test_a_broken_file_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes(content)

    with pytest.raises(ConfigError, match=r"config\.toml: "):
        edit_file(str(file), {"a": 1})

    assert file.read_bytes() == content


def test_what_cannot_be_written_is_told_and_nothing_is_left_behind(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()

    with pytest.raises(ConfigError, match="is a directory, expected a file"):
        edit_file(str(tmp_path / "config.toml"), {"a": 1})

    assert sorted(os.listdir(tmp_path)) == [LOCK_FILE, "config.toml"]


def test_a_value_in_the_way_of_a_table_is_told(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("features = 5\n")

    with pytest.raises(ConfigError, match="features is 5, which is not a table"):
        edit_file(str(file), {"features.undo": True})

    assert file.read_text() == "features = 5\n"


def test_a_quote_in_a_quoted_part_is_written_twice(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"

    edit_file(str(file), {'hooks.state."/a ""b"".json:stop:0:0".enabled': False, '"""a"."b"""': 1})

    assert tomllib.loads(file.read_text()) == {
        "hooks": {"state": {'/a "b".json:stop:0:0': {"enabled": False}}},
        '"a': {'b"': 1},
    }
