"""Clients change the user's configuration: all of a request or nothing, and nothing that they did not ask for."""

from __future__ import annotations

import threading
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codex_hookspecs.errors import ConfigConflict, ConfigError
from codex_hookspecs.host import ConfigLayer
from codex_hookspecs.protocol import ConfigEdit
from codex_host.config.edit import change_file
from codex_host.config.effective import EffectiveConfig, LiveConfig

WRITTEN = """\
# my settings
model = "gpt"   # the good one

[model_providers.mock]
# its name
name = "mock"
base_url = "http://127.0.0.1:9/v1"

[features]
undo = true
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "config.toml").write_text(WRITTEN)
    return folder


def live(home: Path, **flags: Any) -> LiveConfig:
    return LiveConfig(EffectiveConfig(str(home), cwd=str(home.parent), flags=flags), str(home.parent))


def replace(key: str, value: Any) -> ConfigEdit:
    return ConfigEdit(key_path=key, value=value, merge_strategy="replace")


def upsert(key: str, value: Any) -> ConfigEdit:
    return ConfigEdit(key_path=key, value=value, merge_strategy="upsert")


def test_comments_and_layout_stay(home: Path) -> None:
    live(home).edit_user([replace("model", "other"), upsert("model_providers.mock", {"name": "new"})])

    wanted = WRITTEN.replace('"gpt"', '"other"').replace('name = "mock"', 'name = "new"')
    assert (home / "config.toml").read_text() == wanted


def test_a_table_is_replaced_or_merged(home: Path) -> None:
    config = live(home)

    config.edit_user([upsert("model_providers.mock", {"env_key": "K"})])
    merged = tomllib.loads((home / "config.toml").read_text())["model_providers"]["mock"]
    config.edit_user([replace("model_providers.mock", {"name": "x", "base_url": "http://127.0.0.1:8/v1"})])
    replaced = tomllib.loads((home / "config.toml").read_text())["model_providers"]["mock"]

    assert merged == {"name": "mock", "base_url": "http://127.0.0.1:9/v1", "env_key": "K"}
    assert replaced == {"name": "x", "base_url": "http://127.0.0.1:8/v1"}
    assert "# its name" in (home / "config.toml").read_text()


@pytest.mark.parametrize(
    ("before", "edits", "after"),
    [
        ("", [replace("a", {"b": {"c": [1, {"d": True}]}})], {"a": {"b": {"c": [1, {"d": True}]}}}),
        ("[a]\nx=1\n[b]\n[a.c]\nz=2\n", [replace("a.c.w", 1)], {"a": {"x": 1, "c": {"z": 2, "w": 1}}, "b": {}}),
        ("a.b.c = 1\na.b.d = 2\n", [replace("a.b", {"c": 5})], {"a": {"b": {"c": 5}}}),
        ("a = { b = 1 }\n", [upsert("a.c", {"d": {"e": 1}}), replace("a.b", None)], {"a": {"c": {"d": {"e": 1}}}}),
        ("[[h]]\nm=1\n[[h]]\nm=2\n", [replace("h", [{"m": 3}])], {"h": [{"m": 3}]}),
        ("x = 1\n", [replace("x", True)], {"x": True}),
        ("x = 1\n", [replace("x", None), replace("y.z", None)], {}),
        ("", [replace('projects."/a.b".trust_level', "trusted")], {"projects": {"/a.b": {"trust_level": "trusted"}}}),
        ("", [upsert("hooks.state", {"/a.json:stop:0:0": {"enabled": False}})],
         {"hooks": {"state": {"/a.json:stop:0:0": {"enabled": False}}}}),
        ("x = 2026-01-01\n", [replace("y", 1.5)], None),
        ("a = { b = 1 }\n", [replace("a.c.d", [])], {"a": {"b": 1, "c": {"d": []}}}),
        ("a.b = 1\n[x]\n", [replace("a.c.d", {"e": 1})], {"a": {"b": 1, "c": {"d": {"e": 1}}}, "x": {}}),
        ("[a.b]\nx=1\n[c]\n[a]\ny=1\n", [replace("a", {"z": [{"q": 1}]})], {"a": {"z": [{"q": 1}]}, "c": {}}),
        ("", [replace("a", -(2**63))], {"a": -(2**63)}),
    ],
)  # fmt: skip
def test_any_value_finds_its_place(home: Path, before: str, edits: list[ConfigEdit], after: Any) -> None:
    (home / "config.toml").write_text(before)

    change = live(home).edit_user(edits)

    found = tomllib.loads((home / "config.toml").read_text())
    assert after is None or found == after
    assert change.version == ConfigLayer(kind="user", table=found).version


_KEYS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=4).filter(str.strip).map(str.strip)
_VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["", WRITTEN, "a.b = 1\n[c.d]\n", "a = { b = 1 }\n[[h]]\n"]), _KEYS, _VALUES)
def test_every_json_value_can_be_written_and_deleted(before: str, key: str, value: Any) -> None:
    quoted = '"{}"'.format(key.replace('"', '""'))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "config.toml"
        file.write_text(before)

        change_file(str(file), [replace(f"x.{quoted}", value)], check=lambda _table: None)
        written = tomllib.loads(file.read_bytes().decode())
        change_file(str(file), [replace("x", None)], check=lambda _table: None)

        assert written == {**tomllib.loads(before), "x": {key: value}}
        assert tomllib.loads(file.read_bytes().decode()) == tomllib.loads(before)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (replace("approval_policy", "sometimes"), "approval_policy = 'sometimes', allowed is one of"),
        (replace("model", 5), "model = 5, allowed is text"),
        (replace("model.name", "x"), "model is 'gpt', which is not a table"),
        (replace("", 1), "is not a key"),
        (replace("a..b", 1), "is not a key"),
        (replace("a", [None]), "null can't be written"),
        (replace("a", {"b": 2**63}), "more than 64 bits"),
        (replace("a", "\ud800"), "not Unicode"),
        (replace("profile", "missing"), "config profile `missing` not found"),
    ],
)
def test_what_can_not_be_is_refused_as_a_whole(home: Path, edit: ConfigEdit, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        live(home).edit_user([replace("model_context_window", 1000), edit])

    assert (home / "config.toml").read_text() == WRITTEN


def test_deep_values_are_refused(home: Path) -> None:
    value: Any = 1
    for _ in range(200):
        value = [value]

    with pytest.raises(ConfigError, match="levels"):
        live(home).edit_user([replace("a", value)])


def test_a_file_that_somebody_else_changed_is_not_overwritten(home: Path) -> None:
    config = live(home)
    version = config.layers[1].version

    first = config.edit_user([replace("model", "a")], expected_version=version)
    with pytest.raises(ConfigConflict):
        config.edit_user([replace("model", "b")], expected_version=version)
    config.edit_user([replace("model", "c")], expected_version=first.version)

    assert config.get("model") == "c"


def test_changes_of_many_at_once_are_all_made(home: Path) -> None:
    config = live(home)

    def change(number: int) -> None:
        for each in range(5):
            config.edit_user([replace(f"x.t{number}_{each}", number)])

    threads = [threading.Thread(target=change, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(tomllib.loads((home / "config.toml").read_text())["x"]) == 20


def test_a_value_that_a_flag_overrides_is_told(home: Path) -> None:
    config = live(home, model="flag")

    overridden = config.edit_user([replace("model_context_window", 1), replace("model", "mine")])
    same = config.edit_user([replace("model", "flag")])

    assert overridden.overridden_by is not None
    assert overridden.overridden_by.kind == "sessionFlags"
    assert overridden.effective_value == "flag"
    assert same.overridden_by is None


def test_a_link_stays_a_link(home: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("model = 'a'\n")
    real.chmod(0o640)
    (home / "config.toml").unlink()
    (home / "config.toml").symlink_to(real)

    live(home).edit_user([replace("model", "b")])

    assert (home / "config.toml").is_symlink()
    assert tomllib.loads(real.read_text()) == {"model": "b"}
    assert real.stat().st_mode & 0o777 == 0o640


def test_an_invalid_file_can_be_repaired_and_a_broken_one_is_left_alone(home: Path) -> None:
    config = live(home)
    file = home / "config.toml"
    file.write_text("approval_policy = 'sometimes'\n")

    with pytest.raises(ConfigError, match="approval_policy"):
        config.edit_user([replace("model", "x")])
    config.edit_user([replace("approval_policy", "never")])
    repaired = file.read_text()
    file.write_text("model = [\n")
    with pytest.raises(ConfigError, match="is not TOML"):
        config.edit_user([replace("model", "x")])

    assert tomllib.loads(repaired) == {"approval_policy": "never"}
    assert file.read_text() == "model = [\n"


def test_changed_files_count_from_the_next_question_on(home: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / ".git").mkdir(parents=True)
    config = live(home)
    before = config.for_directory(str(project))

    (home / "config.toml").write_text(f'model = "edited"\n[projects."{project}"]\ntrust_level = "trusted"\n')
    after = config.for_directory(str(project))
    (project / ".codex").mkdir()
    (project / ".codex" / "config.toml").write_text("model_verbosity = 'low'\n")
    with_project = config.for_directory(str(project))

    assert before.get("model") == "gpt"
    assert after.get("model") == config.get("model") == "edited"
    assert after.get("model_verbosity") is None
    assert with_project.get("model_verbosity") == "low"
    assert config.for_directory(str(project)) is with_project


def test_a_file_that_has_become_invalid_is_told_and_changes_nothing(home: Path) -> None:
    config = live(home)
    (home / "config.toml").write_text("model = 5\n")

    with pytest.raises(ConfigError, match="model = 5"):
        config.for_directory(str(home))

    assert config.get("model") == "gpt"
