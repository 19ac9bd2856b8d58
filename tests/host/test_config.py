"""Configuration: layers and their precedence, trust of projects, wrong values, values of the command line."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from codex_hookspecs.errors import ConfigError
from codex_host.config import layers
from codex_host.config.effective import EffectiveConfig
from codex_host.config.keys import lookup, merge, nested, parse_override, split_key


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty ``$CODEX_HOME``; the machine's own system layer is out of sight."""
    monkeypatch.setattr(layers, "SYSTEM_FOLDER", str(tmp_path / "etc"))
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return an empty repository."""
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "HEAD").touch()
    return folder


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def trusting(*folders: Path) -> str:
    return "".join(f'[projects."{folder}"]\ntrust_level = "trusted"\n' for folder in folders)


def config(home: Path, cwd: Path, **others: Any) -> EffectiveConfig:
    return EffectiveConfig(str(home), cwd=str(cwd), **others)


def refusal(home: Path, cwd: Path, **others: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        config(home, cwd, **others)
    return str(caught.value)


# --- layers


def test_every_layer_beats_the_one_below(home: Path, project: Path, tmp_path: Path) -> None:
    put(tmp_path / "etc/config.toml", 'a = "system"\nb = "system"\nc = "system"\nd = "system"\ne = "system"')
    put(
        home / "config.toml",
        f'b = "user"\nc = "user"\nd = "user"\ne = "user"\n[profiles.p]\nd = "profile"\ne = "profile"\n'
        f"{trusting(project)}",
    )
    put(project / ".codex/config.toml", 'c = "project"\nd = "project"\ne = "project"')

    found = config(home, project, profile="p", flags={"e": "flag"})

    assert [found.get(key) for key in "abcde"] == ["system", "user", "project", "profile", "flag"]
    assert [found.origin(key) for key in "abcde"] == [
        str(tmp_path / "etc/config.toml"),
        str(home / "config.toml"),
        str(project / ".codex/config.toml"),
        "profile",
        "command line",
    ]
    assert found.origin("f") is None


def test_tables_merge_by_key_and_everything_else_is_replaced(home: Path, project: Path) -> None:
    put(home / "config.toml", f"x.list = [1, 2]\nx.a = 1\n{trusting(project)}")
    put(project / ".codex/config.toml", "x.list = [3]\nx.b = 2")

    assert config(home, project).get("x") == {"list": [3], "a": 1, "b": 2}


def test_the_nearest_folder_of_a_project_wins(home: Path, project: Path) -> None:
    put(home / "config.toml", trusting(project))
    put(project / ".codex/config.toml", 'approval_policy = "never"\nsandbox_mode = "workspace-write"')
    put(project / "inner/.codex/config.toml", 'sandbox_mode = "read-only"')

    found = config(home, project / "inner")

    assert (found.get("approval_policy"), found.get("sandbox_mode")) == ("never", "read-only")


def test_folders_above_the_repository_do_not_count(home: Path, project: Path) -> None:
    put(home / "config.toml", trusting(project, project.parent))
    put(project.parent / ".codex/config.toml", "a = 1")

    assert config(home, project).get("a") is None


def test_without_a_repository_the_directory_itself_is_the_project(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "loose" / "inner"
    put(folder / ".codex/config.toml", "a = 1")
    put(folder.parent / ".codex/config.toml", "b = 1")
    put(home / "config.toml", trusting(folder))

    found = config(home, folder)

    assert (found.get("a"), found.get("b")) == (1, None)


def test_an_untrusted_project_is_listed_with_the_reason_and_not_read(home: Path, project: Path) -> None:
    put(project / ".codex/config.toml", "= broken")

    found = config(home, project)

    [layer] = [layer for layer in found.layers if layer.kind == "project"]
    assert layer.table == {}
    assert layer.disabled_reason is not None
    assert layer.disabled_reason.startswith(f"{project} is not trusted")
    assert f'[projects."{project}"] trust_level = "trusted"' in layer.disabled_reason


@pytest.mark.parametrize("spelling", ["{}", "{}/", "{}//", "{}/.", "/.{}/./"])
def test_a_decision_not_to_trust_a_project_counts_and_is_not_questioned(
    home: Path, project: Path, spelling: str
) -> None:
    put(
        home / "config.toml",
        f'{trusting(project)}[projects."{spelling.format(project)}/"]\ntrust_level = "untrusted"\n',
    )
    put(project / ".codex/config.toml", "a = 1")

    found = config(home, project)

    assert found.get("a") is None
    assert found.get("approval_policy") == "untrusted"
    assert found.warnings() == []


@pytest.mark.parametrize("spelling", ["{}/", "{}//", "{}/.", "/.{}"])
def test_slashes_and_dots_in_the_path_of_a_project_change_nothing(home: Path, project: Path, spelling: str) -> None:
    put(
        home / "config.toml",
        trusting(Path("/none")) + f'[projects."{spelling.format(project)}"]\ntrust_level = "trusted"\n',
    )
    put(project / ".codex/config.toml", "a = 1")

    assert config(home, project).get("a") == 1


def test_a_path_with_a_step_up_trusts_nothing(home: Path, project: Path) -> None:
    put(home / "config.toml", f'[projects."{project}/sub/.."]\ntrust_level = "trusted"\n')
    put(project / ".codex/config.toml", "a = 1")

    assert config(home, project).get("a") is None


@pytest.mark.parametrize("level", ["yes", "", 5])
def test_another_word_on_trust_is_an_error(home: Path, project: Path, level: object) -> None:
    put(home / "config.toml", f'[projects."{project}"]\ntrust_level = {level!r}\n')

    with pytest.raises(ConfigError, match=r"trust_level = .*, allowed is one of trusted, untrusted"):
        config(home, project)


def test_the_nearest_word_on_trust_counts(home: Path, project: Path) -> None:
    inner = project / "inner"
    put(home / "config.toml", f'{trusting(project)}[projects."{inner}"]\ntrust_level = "untrusted"\n')
    put(project / ".codex/config.toml", "a = 1")
    put(inner / ".codex/config.toml", "b = 1")

    assert config(home, inner).get("a") is None
    assert config(home, project).get("a") == 1


def test_a_project_cannot_trust_itself(home: Path, project: Path) -> None:
    put(project / ".codex/config.toml", trusting(project) + "\n[features]\nundo = true")

    assert config(home, project).get("features.undo") is None


def test_trust_given_on_the_command_line_counts(home: Path, project: Path) -> None:
    put(project / ".codex/config.toml", "a = 1")

    found = config(home, project, flags={f'projects."{project}".trust_level': "trusted"})

    assert found.get("a") == 1


def test_a_linked_work_tree_shares_the_trust_of_its_repository(home: Path, tmp_path: Path) -> None:
    repository, linked = tmp_path / "repository", tmp_path / "linked"
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@example.org", "-C", str(repository)]
    repository.mkdir()
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    subprocess.run([*git, "worktree", "add", "-q", str(linked)], check=True, capture_output=True)
    put(home / "config.toml", trusting(repository))
    put(linked / ".codex/config.toml", "a = 1")

    assert config(home, linked).get("a") == 1


def test_the_home_inside_a_project_is_no_project_layer(project: Path, tmp_path: Path) -> None:
    home = project / ".codex"
    put(home / "config.toml", trusting(project))

    assert [layer.kind for layer in config(home, project).layers] == ["system", "user", "sessionFlags"]


def test_a_profile_is_chosen_on_the_command_line_before_the_file(home: Path, project: Path) -> None:
    put(home / "config.toml", 'profile = "a"\n[profiles.a]\nmodel = "ma"\n[profiles.b]\nmodel = "mb"')

    assert config(home, project).get("model") == "ma"
    assert config(home, project, profile="b").get("model") == "mb"
    assert config(home, project, flags={"profile": "b"}).get("model") == "mb"


def test_a_profile_can_have_a_file_of_its_own(home: Path, project: Path) -> None:
    put(home / "config.toml", 'model = "user"\nmodel_provider = "user"\n[profiles.both]\nmodel = "table"')
    put(home / "fast.config.toml", 'model = "fast"')
    put(home / "both.config.toml", 'model = "file"')
    put(home / "broken.config.toml", "model = 1")

    found = config(home, project, profile="fast")

    assert (found.get("model"), found.get("model_provider")) == ("fast", "user")
    assert found.origin("model") == str(home / "fast.config.toml")
    assert config(home, project, profile="both").get("model") == "file"
    assert "broken.config.toml" in refusal(home, project, profile="broken")
    assert "not found" in refusal(home, project, profile="../home/fast")


def test_an_unknown_profile_is_refused_with_those_that_exist(home: Path, project: Path) -> None:
    put(home / "config.toml", "[profiles.fast]\n[profiles.deep]")

    assert refusal(home, project, profile="fats") == "config profile `fats` not found; there are: deep, fast"


def test_another_directory_has_its_own_configuration(home: Path, project: Path, tmp_path: Path) -> None:
    put(home / "config.toml", trusting(project))
    put(project / ".codex/config.toml", "a = 1")
    (tmp_path / "other").mkdir()

    here = config(home, tmp_path / "other", flags={"b": 2})
    there = here.for_directory(str(project), {"c": 3})

    assert (here.get("a"), there.get("a"), there.get("b"), there.get("c")) == (None, 1, 2, 3)


# --- files that can't be used


def test_a_pipe_is_not_waited_for(home: Path) -> None:
    os.mkfifo(home / "config.toml")

    with pytest.raises(ConfigError, match=r"config\.toml: is a pipe"):
        layers.base_layers(str(home), {})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a = \n", "is not TOML: Invalid value (at line 1, column 5)"),
        (b"ok = 1\n[table\n", "(at line 2, column 7)"),
        (b"a = 1\na = 2\n", "is not TOML: Cannot overwrite a value"),
        (b'a = "\xff"', "is not UTF-8 (byte 5)"),
    ],
)
def test_a_broken_file_is_told_with_file_and_line(home: Path, project: Path, content: bytes, told: str) -> None:
    (home / "config.toml").write_bytes(content)

    message = refusal(home, project)

    assert message.startswith(f"{home}/config.toml: ")
    assert told in message


def test_a_directory_in_place_of_the_file_is_told(home: Path, project: Path) -> None:
    (home / "config.toml").mkdir()

    assert refusal(home, project) == f"{home}/config.toml: is a directory, expected a file"


def test_a_link_that_goes_round_in_circles_is_told(home: Path, project: Path) -> None:
    (home / "config.toml").symlink_to(home / "config.toml")

    assert "config.toml: can't be read: Too many levels of symbolic links" in refusal(home, project)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('sandbox_mode = "open"', "sandbox_mode = 'open', allowed is one of read-only, workspace-write, danger"),
        ("approval_policy = 5", "approval_policy = 5, allowed is one of untrusted, on-failure, on-request, never"),
        (
            "approval_policy = {granular = {rules = true}}",
            "allowed is one of untrusted, on-failure, on-request, never or",
        ),
        ("[approval_policy.granular]\nrules = 1\nsandbox_approval = true\nmcp_elicitations = true", "'rules': 1"),
        ("model = 5", "model = 5, allowed is text"),
        ("model = true", "model = True, allowed is text"),
        ("features = 1", "features = 1, allowed is a table"),
        ('features.plugins = "yes"', "features.plugins = 'yes', allowed is true or false"),
        ('model_context_window = "big"', "model_context_window = 'big', allowed is a number from 0"),
        ("tool_output_token_limit = true", "tool_output_token_limit = True, allowed is a number from 0"),
        ('model_reasoning_effort = "huge"', "model_reasoning_effort = 'huge', allowed is one of none, minimal"),
        ("model_providers.x = 1", "model_providers.x = 1, allowed is a table"),
        ("profiles.x = 1", "profiles.x = 1, allowed is a table"),
        ("[profiles.x]\nmodel = 1", "profile x: model = 1, allowed is text"),
        ("hooks.max_stop_blocks = -1", "hooks.max_stop_blocks = -1, allowed is a number from 0"),
        ('hooks.max_stop_blocks = "ten"', "hooks.max_stop_blocks = 'ten', allowed is a number from 0"),
        ("hooks.fail_closed = 5", "hooks.fail_closed = 5, allowed is a list of texts"),
        ('hooks.fail_closed = "stop"', "hooks.fail_closed = 'stop', allowed is a list of texts"),
        ("plugins.noisy = false", "plugins.noisy = False, allowed is a table"),
        ('plugins.noisy.enabled = "no"', "plugins.noisy.enabled = 'no', allowed is true or false"),
        (
            "sandbox_workspace_write.writable_roots = [5]",
            "sandbox_workspace_write.writable_roots = [5], allowed is a list of texts",
        ),
        (
            'sandbox_workspace_write.writable_roots = "/a"',
            "sandbox_workspace_write.writable_roots = '/a', allowed is a list of texts",
        ),
        (
            'sandbox_workspace_write.network_access = "yes"',
            "sandbox_workspace_write.network_access = 'yes', allowed is true or false",
        ),
        (
            "sandbox_workspace_write.exclude_slash_tmp = 0",
            "sandbox_workspace_write.exclude_slash_tmp = 0, allowed is true or false",
        ),
        (
            'sandbox_workspace_write.exclude_tmpdir_env_var = "no"',
            "sandbox_workspace_write.exclude_tmpdir_env_var = 'no', allowed is true or false",
        ),
    ],
)
def test_a_wrong_value_is_told_with_file_key_and_what_is_allowed(
    home: Path, project: Path, text: str, told: str
) -> None:
    put(home / "config.toml", text)

    message = refusal(home, project)

    assert message.startswith(f"{home}/config.toml")
    assert told in message


def test_a_wrong_value_of_the_command_line_is_told_as_such(home: Path, project: Path) -> None:
    message = refusal(home, project, flags={"sandbox_mode": "open"})

    assert message.startswith("command line: sandbox_mode = 'open', allowed is one of")


def test_a_wrong_value_of_a_trusted_project_is_told(home: Path, project: Path) -> None:
    put(home / "config.toml", trusting(project))
    put(project / ".codex/config.toml", "model = 5")

    assert refusal(home, project) == f"{project}/.codex/config.toml: model = 5, allowed is text"


def test_keys_that_the_host_does_not_know_are_left_to_those_who_do(home: Path, project: Path) -> None:
    put(home / "config.toml", "[made_up]\nx = 1\n[features]\nmade_up = true\n[features.table]\nx = 1")

    assert config(home, project).get("made_up.x") == 1


# --- key=value


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("model=gpt", "model", "gpt"),
        ('model="gpt"', "model", "gpt"),
        ("model='gpt'", "model", "gpt"),
        (" model = gpt ", "model", "gpt"),
        ("a=", "a", ""),
        ('a=""', "a", ""),
        ("a=true", "a", True),
        ("a=True", "a", "True"),
        ("a=5", "a", 5),
        ("a=-1.5", "a", -1.5),
        ("a=5 apples", "a", "5 apples"),
        ("a=1\nb = 2", "a", "1\nb = 2"),
        ("a=[1, 'two']", "a", [1, "two"]),
        ("a=[1, ", "a", "[1,"),
        ('a={x = 1, "y.z" = [2]}', "a", {"x": 1, "y.z": [2]}),
        ("a=x=y", "a", "x=y"),
        ("a.b.c=1", "a.b.c", 1),
        ('a."b.c"=1', 'a."b.c"', 1),
        ('a."b=c"=1', 'a."b=c"', 1),
        ('projects."/a=b".trust_level="trusted"', 'projects."/a=b".trust_level', "trusted"),
        ("a=$(rm -rf /)", "a", "$(rm -rf /)"),
        ("a=C:\\temp", "a", "C:\\temp"),
    ],
)
def test_a_value_is_toml_where_it_can_be_else_the_text_itself(text: str, key: str, value: object) -> None:
    assert parse_override(text) == (key, value)


@pytest.mark.parametrize("text", ["", "model", "=5", " = 5", "a..b=1", ".a=1", "a.=1", 'a."b=1', '"open=1'])
def test_what_is_no_pair_of_key_and_value_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_override(text)


def test_later_pairs_beat_earlier_ones_and_tables_grow() -> None:
    assert nested({"a.b": 1, "a.c": 2}) == {"a": {"b": 1, "c": 2}}
    assert nested({"a": 1, "a.b": 2}) == {"a": {"b": 2}}
    assert nested({"a": {"x": 1}, "a.b": 2}) == {"a": {"x": 1, "b": 2}}
    assert nested({"a.b": {"x": 1}, "a": {"b": {"y": 2}}}) == {"a": {"b": {"x": 1, "y": 2}}}


def test_quoted_parts_of_a_key_may_hold_dots() -> None:
    assert split_key('a."/x.y/z".b') == ["a", "/x.y/z", "b"]
    assert lookup({"a": {"/x.y": {"b": 1}}}, 'a."/x.y".b') == 1
    assert lookup({"a": 1}, "a.b", "none") == "none"


def test_laying_tables_over_each_other_leaves_them_as_they_were() -> None:
    low, high = {"a": {"x": 1}}, {"a": {"y": 2}}

    assert merge(low, high) == {"a": {"x": 1, "y": 2}}
    assert (low, high) == ({"a": {"x": 1}}, {"a": {"y": 2}})
