"""Hooks in the layers of the configuration, and which of them may run."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from codex_hooks_command.discovery import BYPASS_WARNING, Registry, discover
from codex_hooks_command.events import Event
from codex_hooks_command.files import MAX_FILE_BYTES, HookFiles
from codex_hooks_command.handlers import RegisteredHook
from codex_hooks_command.trust import hash_of
from codex_hookspecs.host import ConfigLayer

GROUPS = [{"hooks": [{"type": "command", "command": "true"}]}]
DECLARED = {"Stop": GROUPS}


def layer(folder: Path, kind: str = "user", *, toml: str = "", declared: Any = None, **values: Any) -> ConfigLayer:
    import tomllib

    folder.mkdir(parents=True, exist_ok=True)
    if declared is not None:
        text = declared if isinstance(declared, str) else json.dumps({"hooks": declared})
        (folder / "hooks.json").write_text(text, encoding="utf-8")
    (folder / "config.toml").write_text(toml)
    return ConfigLayer(
        kind=kind,  # type: ignore[arg-type]
        folder=str(folder),
        file=str(folder / "config.toml"),
        table=tomllib.loads(toml),
        **values,
    )


def found(*layers: ConfigLayer, files: HookFiles | None = None, **options: Any) -> Registry:
    return discover(layers, files or HookFiles(), **options)


def run_ids(registry: Registry) -> list[str]:
    return [one.run_id for one in registry.handlers]


TOML = '[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ntype = "command"\ncommand = "false"\n'


def test_layers_are_combined_in_order_with_continuous_numbers(tmp_path: Path) -> None:
    layers = [
        layer(tmp_path / "etc", "system", declared={"Stop": GROUPS, "PreToolUse": GROUPS}),
        layer(tmp_path / "home", declared={"SessionStart": GROUPS}),
        layer(tmp_path / "p/.codex", "project", declared=DECLARED),
    ]

    registry = found(*layers)

    assert run_ids(registry) == [
        f"pre-tool-use:0:{tmp_path}/etc/hooks.json",
        f"stop:1:{tmp_path}/etc/hooks.json",
        f"session-start:2:{tmp_path}/home/hooks.json",
        f"stop:3:{tmp_path}/p/.codex/hooks.json",
    ]
    assert [one.source.kind for one in registry.handlers] == ["system", "system", "user", "project"]


def test_json_and_toml_of_one_layer_are_both_used_with_a_warning(tmp_path: Path) -> None:
    registry = found(layer(tmp_path, declared=DECLARED, toml=TOML))

    assert run_ids(registry) == [f"stop:0:{tmp_path}/hooks.json", f"stop:1:{tmp_path}/config.toml"]
    (warning,) = registry.warnings
    assert warning.startswith(f"loading hooks from both {tmp_path}/hooks.json and {tmp_path}/config.toml; prefer")


def test_hooks_given_on_the_command_line_run(tmp_path: Path) -> None:
    flags = ConfigLayer(kind="sessionFlags", table={"hooks": DECLARED})

    (one,) = found(layer(tmp_path), flags).handlers

    assert (one.skipped, one.source.kind) == (None, "sessionFlags")
    assert one.run_id == "stop:0:/<sessionFlags>/config.toml"


def test_a_profile_in_the_users_file_does_not_read_his_hooks_json_twice(tmp_path: Path) -> None:
    user = layer(tmp_path, declared=DECLARED)
    profile = ConfigLayer(kind="profile", folder=str(tmp_path), file=user.file)

    assert len(found(user, profile).handlers) == 1


def test_hooks_of_an_untrusted_project_do_not_run_and_do_not_shift_numbers(tmp_path: Path) -> None:
    foreign = layer(tmp_path / "p/.codex", "project", declared=DECLARED, disabled_reason="/p is not trusted")
    flags = ConfigLayer(kind="sessionFlags", table={"hooks": DECLARED})

    registry = found(foreign, flags, bypass=True)

    reason = f"/p is not trusted; to trust it with its hooks, run: codex hooks trust --project --all -C {tmp_path}/p"
    assert [(one.display_order, one.skipped) for one in registry.handlers] == [(0, None), (1, reason)]
    assert registry.warnings == (BYPASS_WARNING, f"1 hook is not run in {tmp_path}/p/.codex/hooks.json: {reason}")
    assert [one.display_order for one in registry.matching(Event.STOP, None)] == [0]


def test_hooks_of_a_project_that_is_untrusted_on_purpose_are_not_told(tmp_path: Path) -> None:
    options: dict[str, Any] = {"disabled_reason": "/p is not trusted", "disabled_on_purpose": True}

    registry = found(layer(tmp_path / "p/.codex", "project", declared=DECLARED, **options))

    assert [one.skipped is None for one in registry.handlers] == [False]
    assert registry.warnings == ()


def test_an_invalid_file_of_an_untrusted_project_causes_no_warning(tmp_path: Path) -> None:
    assert found(layer(tmp_path, "project", declared="{", disabled_reason="no")).warnings == ()


def test_a_hook_of_a_trusted_project_has_to_be_reviewed(tmp_path: Path) -> None:
    user, project = layer(tmp_path / "home"), layer(tmp_path / "p/.codex", "project", declared=DECLARED)
    registry = found(user, project)
    (one,) = registry.handlers
    assert (one.trust, one.enabled) == ("untrusted", True)
    assert registry.warnings == (f"Stop hook `true` in {one.source.path} is not run: {one.skipped}",)
    assert f"codex hooks trust '{one.key}'" in str(one.skipped)

    accepted = layer(tmp_path / "home", toml=f'[hooks.state."{one.key}"]\ntrusted_hash = "{hash_of(one.handler)}"\n')
    (again,) = found(accepted, project).handlers

    assert (again.trust, again.skipped) == ("trusted", None)


def test_a_changed_hook_has_to_be_reviewed_again(tmp_path: Path) -> None:
    project = layer(tmp_path / "p/.codex", "project", declared=DECLARED)
    key = f"{tmp_path}/p/.codex/hooks.json:stop:0:0"
    user = layer(tmp_path / "home", toml=f'[hooks.state."{key}"]\ntrusted_hash = "sha256:old"\n')

    (one,) = found(user, project).handlers

    assert one.trust == "modified"
    assert str(one.skipped).startswith("it has changed since it was trusted")


def test_a_project_can_not_trust_hooks(tmp_path: Path) -> None:
    (one,) = found(layer(tmp_path, "project", declared=DECLARED)).handlers
    state = f'[hooks.state."{one.key}"]\ntrusted_hash = "{hash_of(one.handler)}"\n'

    (again,) = found(layer(tmp_path, "project", declared=DECLARED, toml=state)).handlers

    assert again.trust == "untrusted"


def test_bypassing_trust_runs_unreviewed_hooks_with_a_warning(tmp_path: Path) -> None:
    registry = found(layer(tmp_path, "project", declared=DECLARED), bypass=True)

    assert [one.skipped for one in registry.handlers] == [None]
    assert registry.warnings == (BYPASS_WARNING,)


def test_a_hook_can_be_disabled(tmp_path: Path) -> None:
    state = f'[hooks.state."{tmp_path}/hooks.json:stop:0:0"]\nenabled = false\n'

    registry = found(layer(tmp_path, declared=DECLARED, toml=state))

    (one,) = registry.handlers
    assert (one.enabled, one.trust) == (False, "trusted")
    assert str(one.skipped).startswith("it is switched off (run: codex hooks trust")
    assert len(registry.warnings) == 1


def test_hooks_of_the_system_can_not_be_disabled(tmp_path: Path) -> None:
    system = layer(tmp_path / "etc", "system", declared=DECLARED)
    state = f'[hooks.state."{tmp_path}/etc/hooks.json:stop:0:0"]\nenabled = false\n'

    (one,) = found(system, layer(tmp_path / "home", toml=state)).handlers

    assert (one.enabled, one.trust, one.skipped) == (True, "managed", None)


def test_warnings_are_not_repeated(tmp_path: Path) -> None:
    prompts = [{"hooks": [{"type": "prompt"}, {"type": "prompt"}]}]

    registry = found(layer(tmp_path, declared={"Stop": prompts}))

    assert registry.warnings == (f"skipping prompt hook in {tmp_path}/hooks.json: prompt hooks are not supported yet",)


def test_a_file_is_parsed_again_only_when_it_changed(tmp_path: Path) -> None:
    files = HookFiles()
    path = layer(tmp_path, declared=DECLARED).folder + "/hooks.json"  # type: ignore[operator]
    first = files.read(path)
    assert files.read(path) is first

    Path(path).write_text('{"hooks": {}}')
    os.utime(path, ns=(1, 1))

    assert files.read(path) != first
    Path(path).unlink()
    assert files.read(path) is None


def test_hooks_in_toml_are_read_again_when_the_file_changed(tmp_path: Path) -> None:
    user, files = layer(tmp_path, declared={}), HookFiles()
    assert found(user, files=files).handlers == ()

    (tmp_path / "config.toml").write_text(TOML)

    assert run_ids(found(user, files=files)) == [f"stop:0:{tmp_path}/config.toml"]


def test_a_toml_file_that_became_invalid_keeps_its_hooks_with_a_warning(tmp_path: Path) -> None:
    user, files = layer(tmp_path, toml=TOML), HookFiles()
    found(user, files=files)

    (tmp_path / "config.toml").write_text("[[")
    registry = found(user, files=files)

    assert len(registry.handlers) == 1
    assert registry.warnings[0].startswith(f"failed to read hooks of {tmp_path}/config.toml again: ")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"hooks": "\xff"}', "is not UTF-8 (byte 11)"),
        (b" " * (MAX_FILE_BYTES + 1), f"has {MAX_FILE_BYTES + 1} bytes, allowed"),
    ],
)
def test_an_unreadable_file_is_a_warning(tmp_path: Path, content: bytes, message: str) -> None:
    user = layer(tmp_path)
    (tmp_path / "hooks.json").write_bytes(content)

    registry = found(user)

    assert registry.warnings[0].startswith(f"failed to read hooks config {tmp_path}/hooks.json: {message}")


def test_a_path_that_is_not_a_file_is_a_warning_and_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "a" / "hooks.json").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "hooks.json").symlink_to("/dev/zero")

    registry = found(layer(tmp_path / "a"), layer(tmp_path / "b", "profile"))

    assert registry.warnings == tuple(
        f"failed to read hooks config {tmp_path}/{name}/hooks.json: is a {kind}, expected a file"
        for name, kind in (("a", "directory"), ("b", "device"))
    )


def git(*arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True, timeout=30)


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """A repository with a hook, and a work tree that is linked to it; returns the latter."""
    main = tmp_path / "main"
    layer(main / ".codex", "project", declared=DECLARED)
    git("init", "-q", str(main))
    git("-C", str(main), "add", ".")
    git("-C", str(main), "commit", "-qm", "x")
    git("-C", str(main), "worktree", "add", "-q", str(tmp_path / "linked"))
    return tmp_path / "linked"


def state(path: Path, **values: object) -> str:
    lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items())
    return f'[hooks.state."{path}/.codex/hooks.json:stop:0:0"]\n{lines}\n'


def in_linked(linked: Path, toml: str) -> RegisteredHook:
    project = ConfigLayer(kind="project", folder=str(linked / ".codex"))
    (one,) = found(layer(linked.parent / "home", toml=toml), project).handlers
    return one


def test_hooks_accepted_in_a_repository_are_accepted_in_its_linked_work_trees(linked: Path) -> None:
    main = linked.parent / "main"
    accepted = hash_of(in_linked(linked, "").handler)

    one = in_linked(linked, state(main, trusted_hash=accepted))

    assert (one.trust, one.skipped, one.reviewed) == ("trusted", None, True)
    assert in_linked(linked, state(main, trusted_hash=accepted, enabled=False)).enabled is False
    assert in_linked(linked, state(main, trusted_hash="sha256:0")).trust == "modified"
    assert in_linked(linked, state(main, trusted_hash=accepted) + state(linked, enabled=False)).trust == "untrusted"


def test_a_work_tree_that_is_unknown_to_the_repository_has_accepted_nothing(linked: Path) -> None:
    main, other = linked.parent / "main", linked.parent / "other"
    linked.rename(other)
    accepted = hash_of(in_linked(other, "").handler)

    assert in_linked(other, state(main, trusted_hash=accepted)).trust == "untrusted"
