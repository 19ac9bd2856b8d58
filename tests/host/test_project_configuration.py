"""What a project's configuration may set, and what it is told when it sets more."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from codex_host.config import layers
from codex_host.config.effective import EffectiveConfig
from codex_host.config.project_keys import USER_ONLY_KEYS
from codex_host.session.settings import _rules
from codex_testkit.project import Project, RunOutcome

TRUSTED = 'model_provider = "scripted"\n[projects."{root}"]\ntrust_level = "trusted"\n'
HOME_TOML = f'sandbox_mode = "read-only"\n{TRUSTED}'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return a repository that the user trusts; the machine's own system layer is out of sight."""
    monkeypatch.setattr(layers, "SYSTEM_FOLDER", str(tmp_path / "etc"))
    made = Project(tmp_path)
    (made.root / ".git").mkdir()
    (made.root / ".git" / "HEAD").touch()
    return made.write({"~/config.toml": HOME_TOML.format(root=made.root)})


def effective(project: Project, place: str = "", **others: Any) -> EffectiveConfig:
    return EffectiveConfig(str(project.home), cwd=str(project.root / place), **others)


def run(project: Project, *arguments: str, say: str = "done") -> RunOutcome:
    project.write({"~/script.json": json.dumps([[{"say": say}]])})
    script = {"CODEX_MODEL_SCRIPT": str(project.home / "script.json")}
    return project.run(*arguments, "exec", "--skip-git-repo-check", "hello", environ=script)


def prompt_hook(file: Path) -> str:
    command = f"touch {file}"
    return json.dumps({"hooks": {"UserPromptSubmit": [{"hooks": [{"type": "command", "command": command}]}]}})


# --- what no project can set

VALUES: dict[str, Any] = {
    "bypass_hook_trust": True,
    "hooks.state": {"x": {"enabled": False}},
    "hooks.fail_open": ["PreToolUse"],
    "hooks.max_stop_blocks": 0,
    "features.hooks": False,
    "model_providers": {"x": {"base_url": "http://x/v1", "auth": {"command": "touch"}}},
    "notify": ["touch", "x"],
    "environments": {"x": {"url": "ws://x:1"}},
    "profiles": {"p": {"bypass_hook_trust": True}},
    "plugins": {"guard": {"enabled": False}},
    "projects": {"/": {"trust_level": "trusted"}},
}


def toml_of(key: str, value: Any) -> str:
    """Return a line that sets a dotted key to a value of JSON's shape."""

    def text(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f'"{name}" = {text(inner)}' for name, inner in value.items()) + "}"
        return json.dumps(value)

    return f"{key} = {text(value)}\n"


@pytest.mark.parametrize("key", USER_ONLY_KEYS)
@pytest.mark.parametrize("place", ["", "inner"])
def test_a_project_can_t_set_what_is_the_user_s_own(project: Project, key: str, place: str) -> None:
    folder = f"{place}/.codex" if place else ".codex"
    project.write({f"{folder}/config.toml": toml_of(key, VALUES.get(key, "x"))})

    found = effective(project, place)

    assert found.get(key) is None or key in ("model_provider", "projects")
    assert found.get("model_provider") == "scripted"
    assert found.get('projects."/"') is None
    [warning] = found.warnings()
    assert warning.startswith(f"{project.root}/{folder}/config.toml ")
    assert f": {key} (" in warning or f": {key.partition('.')[0]} (" in warning


@pytest.mark.parametrize("key", USER_ONLY_KEYS)
def test_the_documentation_names_what_is_the_user_s_own(key: str) -> None:
    text = (Path(__file__).parents[2] / "docs/configuration.md").read_text()
    [table] = [part for part in text.split("\n## ") if part.startswith("What a project may set")]

    assert f"`{key}`" in table or f"`{key.partition('.')[2]}`" in table


@pytest.mark.parametrize(
    "text",
    [
        "[features]\nhooks = false",
        "features.hooks = false",
        '"features"."hooks" = false',
        "features = {hooks = false}",
        "[features]\ncodex_hooks = false",
        "\ufefffeatures.hooks = false",
    ],
)
def test_every_spelling_of_a_key_is_the_same_key(project: Project, text: str) -> None:
    project.write({".codex/config.toml": text})

    found = effective(project)

    assert found.get("features") == {}
    assert len(found.warnings()) == 1


def test_what_the_user_set_stays_when_a_project_sets_it_too(project: Project) -> None:
    project.write({".codex/config.toml": 'openai_base_url = "http://elsewhere/v1"\nmodel = "theirs"'})
    with (project.home / "config.toml").open("r+") as file:
        text = file.read()
        file.seek(0)
        file.write(f'openai_base_url = "http://mine/v1"\nmodel = "mine"\n{text}')

    found = effective(project)

    assert (found.get("openai_base_url"), found.get("model")) == ("http://mine/v1", "theirs")


def test_a_trusted_project_sets_what_is_a_project_s_business(project: Project) -> None:
    text = (
        'model = "m"\nsandbox_mode = "danger-full-access"\napproval_policy = "never"\nfeatures.undo = true\n'
        'mcp_servers.s.command = "serve"\nshell_environment_policy.inherit = "core"\n'
        'sandbox_workspace_write.writable_roots = ["/srv"]\n'
    )
    project.write({".codex/config.toml": text})

    found = effective(project)

    assert found.get("sandbox_mode") == "danger-full-access"
    assert (found.get("approval_policy"), found.get("model"), found.get("features.undo")) == ("never", "m", True)
    assert found.get("mcp_servers.s.command") == "serve"
    assert found.warnings() == []


def test_a_project_can_t_send_a_server_of_the_user_s_elsewhere(project: Project) -> None:
    project.write(
        {
            "~/config.toml": HOME_TOML.format(root=project.root)
            + '[mcp_servers."a.b"]\nurl = "https://mine"\nbearer_token_env_var = "TOKEN"\n',
            ".codex/config.toml": '[mcp_servers."a.b"]\nurl = "https://theirs"\n[mcp_servers.other]\nurl = "https://o"\n',
        }
    )

    found = effective(project)

    assert found.get('mcp_servers."a.b".url') == "https://mine"
    assert found.get("mcp_servers.other.url") == "https://o"
    assert "mcp_servers.a.b" in found.warnings()[0]


def test_a_project_adds_to_the_hooks_that_fail_closed_and_takes_none_away(project: Project) -> None:
    project.write(
        {
            "~/config.toml": f'hooks.fail_closed = ["PreToolUse"]\n{HOME_TOML.format(root=project.root)}',
            ".codex/config.toml": 'hooks.fail_closed = ["Stop"]',
            "inner/.codex/config.toml": "hooks.fail_closed = []",
        }
    )

    assert effective(project, "inner").get("hooks.fail_closed") == ["PreToolUse", "Stop"]


def test_the_file_of_a_project_that_is_not_trusted_is_told(project: Project, tmp_path: Path) -> None:
    project.write({"~/config.toml": 'model_provider = "scripted"', ".codex/config.toml": "= broken"})

    ran = run(project)

    assert ran.status == 0
    assert f"{project.root}/.codex/config.toml does not count: {project.root} is not trusted" in ran.stderr


def test_command_line_and_thread_set_everything(project: Project) -> None:
    found = effective(project, flags={"bypass_hook_trust": True}).for_directory(
        str(project.root), {"model_providers": {"x": {"base_url": "http://x"}}}
    )

    assert found.get("bypass_hook_trust") is True
    assert found.get("model_providers.x.base_url") == "http://x"


# --- hooks


def test_a_project_can_t_switch_off_the_review_of_its_hooks(project: Project, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    project.write({".codex/config.toml": "bypass_hook_trust = true", ".codex/hooks.json": prompt_hook(mark)})

    ran = run(project)

    assert not mark.exists()
    assert f"{project.root}/.codex/config.toml sets what a project can't set, which is ignored: bypass_hook_trust" in (
        ran.stderr
    )
    assert "is not run: it is not trusted" in ran.stderr


def test_the_user_can_switch_off_the_review_of_hooks(project: Project, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    project.write({".codex/hooks.json": prompt_hook(mark)})

    run(project, "-c", "bypass_hook_trust=true")

    assert mark.exists()


@pytest.mark.parametrize("text", ["[features]\nhooks = false", "[plugins.hooks-command]\nenabled = false"])
@pytest.mark.parametrize("folder", [".codex", "inner/.codex"])
def test_a_project_can_t_switch_off_the_user_s_hooks(project: Project, tmp_path: Path, text: str, folder: str) -> None:
    mark = tmp_path / "ran"
    project.write({f"{folder}/config.toml": text, "~/hooks.json": prompt_hook(mark)})

    ran = run(project, "-C", str(project.root / os.path.dirname(folder)))

    assert mark.exists()
    assert "ignored: " in ran.stderr


# --- below the root

GRANULAR = "approval_policy.granular = {{sandbox_approval = {0}, rules = {1}, mcp_elicitations = true}}"

ALL_ASKED = GRANULAR.format("true", "true")[:-1] + ", skill_approval = true, request_permissions = true}"


def granular(sandbox_approval: bool, rules: bool) -> dict[str, Any]:
    return {"granular": {"sandbox_approval": sandbox_approval, "rules": rules, "mcp_elicitations": True}}


@pytest.mark.parametrize(
    ("user", "inner", "key", "value"),
    [
        ('sandbox_mode = "workspace-write"', 'sandbox_mode = "read-only"', "sandbox_mode", "read-only"),
        ('sandbox_mode = "workspace-write"', 'sandbox_mode = "danger-full-access"', "sandbox_mode", "workspace-write"),
        ('sandbox_mode = "read-only"', 'sandbox_mode = "workspace-write"', "sandbox_mode", "read-only"),
        ('default_permissions = "p"', 'sandbox_mode = "read-only"', "sandbox_mode", None),
        ('approval_policy = "never"', 'approval_policy = "untrusted"', "approval_policy", "untrusted"),
        ('approval_policy = "untrusted"', 'approval_policy = "on-request"', "approval_policy", "untrusted"),
        ("", 'approval_policy = "never"', "approval_policy", None),
        ("", GRANULAR.format("true", "false"), "approval_policy", granular(True, False)),
        ('approval_policy = "untrusted"', GRANULAR.format("true", "true"), "approval_policy", "untrusted"),
        ('approval_policy = "on-failure"', GRANULAR.format("false", "false"), "approval_policy", "on-failure"),
        ('approval_policy = "never"', GRANULAR.format("true", "true"), "approval_policy", granular(True, True)),
        (
            GRANULAR.format("true", "false"),
            GRANULAR.format("false", "false"),
            "approval_policy",
            granular(False, False),
        ),
        (
            GRANULAR.format("true", "false"),
            GRANULAR.format("false", "true"),
            "approval_policy",
            granular(True, False),
        ),
        (GRANULAR.format("true", "false"), 'approval_policy = "untrusted"', "approval_policy", granular(True, False)),
        (GRANULAR.format("true", "true"), 'approval_policy = "untrusted"', "approval_policy", granular(True, True)),
        (ALL_ASKED, 'approval_policy = "untrusted"', "approval_policy", "untrusted"),
        (GRANULAR.format("true", "true"), 'approval_policy = "never"', "approval_policy", granular(True, True)),
        ("", "approval_policy = {granular = {}}", "approval_policy", None),
        ("sandbox_workspace_write.network_access = true", "sandbox_workspace_write.network_access = false", "n", False),
        ("", "sandbox_workspace_write.network_access = true", "n", None),
        ("", "sandbox_workspace_write.exclude_slash_tmp = true", "t", True),
        ("", "sandbox_workspace_write.exclude_slash_tmp = false", "t", None),
        ('sandbox_workspace_write.writable_roots = ["/a", "/b"]', 'ROOTS = ["/b"]', "r", ["/b"]),
        ('sandbox_workspace_write.writable_roots = ["/a"]', 'ROOTS = ["/a", "/etc"]', "r", ["/a"]),
        ('model = "mine"', 'model = "theirs"', "model", "mine"),
        ("", 'mcp_servers.x.command = "touch"', "mcp_servers", None),
        ("", "shell_environment_policy.ignore_default_excludes = true", "shell_environment_policy", None),
    ],
)
def test_a_folder_below_the_root_only_tightens(
    project: Project, user: str, inner: str, key: str, value: object
) -> None:
    table = "sandbox_workspace_write"
    names = {"n": f"{table}.network_access", "t": f"{table}.exclude_slash_tmp", "r": f"{table}.writable_roots"}
    project.write(
        {
            "~/config.toml": f"{user}\n{TRUSTED.format(root=project.root)}",
            "inner/.codex/config.toml": inner.replace("ROOTS", f"{table}.writable_roots"),
        }
    )

    found = effective(project, "inner")

    assert found.get(names.get(key, key)) == value


def test_a_command_can_t_free_later_ones_from_its_sandbox(project: Project) -> None:
    project.write({"inner/.codex/config.toml": 'sandbox_mode = "danger-full-access"\napproval_policy = "never"\n'})

    ran = run(project, "-C", "inner")

    assert "sandbox: read-only" in ran.stderr
    assert f"{project.root}/inner/.codex/config.toml is where sandboxed commands can write" in ran.stderr
    assert "ignored: sandbox_mode, approval_policy" in ran.stderr


@pytest.mark.parametrize("linked", [".codex", ".codex/config.toml"])
def test_what_a_link_leads_to_only_tightens(project: Project, linked: str) -> None:
    project.write({"settings/config.toml": 'sandbox_mode = "danger-full-access"\n'})
    if linked == ".codex":
        (project.root / ".codex").symlink_to("settings")
    else:
        (project.root / ".codex").mkdir()
        (project.root / linked).symlink_to("../settings/config.toml")

    found = effective(project)

    assert found.get("sandbox_mode") == "read-only"
    assert "ignored: sandbox_mode" in found.warnings()[0]


def test_only_what_is_trusted_itself_counts_above_a_trusted_folder(project: Project) -> None:
    project.write(
        {
            "~/config.toml": HOME_TOML.format(root=project.root / "inner"),
            ".codex/config.toml": 'sandbox_mode = "danger-full-access"',
            "inner/.codex/config.toml": 'approval_policy = "untrusted"',
        }
    )

    found = effective(project, "inner")

    assert (found.get("sandbox_mode"), found.get("approval_policy")) == ("read-only", "untrusted")


@pytest.mark.parametrize(
    ("folder", "link", "free"),
    [
        (".codex", "", True),
        ("inner/.codex", "", False),
        (".codex", ".codex/rules", False),
        (".codex", ".codex/rules/r.rules", False),
    ],
)
def test_rules_that_commands_can_write_allow_nothing(project: Project, folder: str, link: str, free: bool) -> None:
    rules = 'prefix_rule(["touch"], "allow")\nprefix_rule(["rm"], "forbidden", justification="keep it")\n'
    project.write({"x/r.rules" if link else f"{folder}/rules/r.rules": rules})
    if link:
        (project.root / link).parent.mkdir(parents=True)
        (project.root / link).symlink_to(project.root / ("x" if link.endswith("/rules") else "x/r.rules"))
    found = effective(project, os.path.dirname(folder))

    book = _rules(found)

    assert book is not None
    assert [match.decision for match in book.matches(["touch", "x"])] == (["allow"] if free else [])
    assert [match.decision for match in book.matches(["rm", "x"])] == ["forbidden"]


# --- linked work trees


def git(folder: Path, *arguments: str) -> None:
    name = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    subprocess.run(["git", *name, "-C", str(folder), *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(project: Project) -> Project:
    """Return the project with a real repository and one commit."""
    shutil.rmtree(project.root / ".git")
    git(project.root, "init", "-q")
    git(project.root, "commit", "-q", "--allow-empty", "-m", "first")
    return project


def model_in(project: Project, folder: Path) -> Any:
    (folder / ".codex").mkdir(exist_ok=True)
    (folder / ".codex/config.toml").write_text('model = "theirs"')
    return EffectiveConfig(str(project.home), cwd=str(folder)).get("model")


@pytest.mark.parametrize("relative", [False, True])
def test_a_linked_work_tree_has_the_trust_of_its_repository(
    repository: Project, tmp_path: Path, relative: bool
) -> None:
    tree = tmp_path / "tree"
    git(repository.root, "worktree", "add", "-q", str(tree))
    if relative:
        entry = repository.root / ".git/worktrees/tree"
        (tree / ".git").write_text(f"gitdir: {os.path.relpath(entry, tree)}\n")
        (entry / "gitdir").write_text(f"{os.path.relpath(tree / '.git', entry)}\n")

    assert model_in(repository, tree) == "theirs"


def test_a_work_tree_inside_of_its_repository_only_tightens(repository: Project) -> None:
    tree = repository.root / "trees/tree"
    git(repository.root, "worktree", "add", "-q", str(tree))

    assert model_in(repository, tree) is None


def test_a_repository_inside_of_another_one_only_tightens(repository: Project) -> None:
    inner = repository.root / "inner"
    (inner / ".git").mkdir(parents=True)
    (inner / ".git" / "HEAD").touch()
    with (repository.home / "config.toml").open("a") as file:
        file.write(f'[projects."{inner}"]\ntrust_level = "trusted"\n')

    assert model_in(repository, inner) is None


def test_a_repository_around_the_home_makes_no_project_a_part_of_it(
    repository: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "init", "-q")
    monkeypatch.setenv("HOME", str(repository.home))

    assert model_in(repository, repository.root) == "theirs"


@pytest.mark.parametrize("form", ["absolute", "link", "to the file", "copied", "nul", "bare"])
def test_a_git_file_alone_borrows_no_trust(repository: Project, tmp_path: Path, form: str) -> None:
    tree, evil = tmp_path / "tree", tmp_path / "evil"
    git(repository.root, "worktree", "add", "-q", str(tree))
    evil.mkdir()
    entry = repository.root / ".git/worktrees/tree"
    if form == "link":
        (evil / "way").symlink_to(repository.root)
        entry = evil / "way/.git/worktrees/tree"
    if form == "copied":
        fake = evil / ".git-of/.git/worktrees/tree"
        fake.mkdir(parents=True)
        (fake / "gitdir").write_text(f"{evil}/.git\n")
        (fake / "commondir").write_text(f"{repository.root}/.git\n")
        entry = fake
    if form == "to the file":
        (evil / ".git").symlink_to(tree / ".git")
    else:
        named = {"nul": f"{entry}\0", "bare": f"{repository.root}/.git"}.get(form, str(entry))
        (evil / ".git").write_text(f"gitdir: {named}\n")

    assert model_in(repository, evil) is None


def test_a_submodule_has_no_trust_of_the_repository_around_it(repository: Project) -> None:
    inner = repository.root / "inner"
    inner.mkdir()
    (repository.root / ".git/modules/inner").mkdir(parents=True)
    (inner / ".git").write_text("gitdir: ../.git/modules/inner\n")

    assert model_in(repository, inner) is None


@pytest.mark.parametrize("what", ["pipe", "device", "large"])
def test_a_git_file_that_is_something_else_is_not_waited_for(repository: Project, tmp_path: Path, what: str) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    if what == "pipe":
        os.mkfifo(folder / ".git")
    elif what == "device":
        (folder / ".git").symlink_to("/dev/zero")
    else:
        with (folder / ".git").open("wb") as file:
            file.truncate(3 * 1024**3)

    ran = repository.run("-C", str(folder), "exec", "--skip-git-repo-check", "hello", limit=30)

    assert ran.status == 0, ran.stderr


# --- what follows from trust alone


@pytest.mark.parametrize(
    ("home", "sandbox", "approval"),
    [
        (TRUSTED, "workspace-write", None),
        (TRUSTED.replace('"trusted"', '"untrusted"'), None, "untrusted"),
        ("", None, None),
        (HOME_TOML, "read-only", None),
        ('default_permissions = ":read-only"\n' + TRUSTED, None, None),
        ('approval_policy = "never"\n' + TRUSTED.replace('"trusted"', '"untrusted"'), None, "never"),
    ],
)
def test_trust_decides_what_nothing_else_does(
    project: Project, home: str, sandbox: str | None, approval: str | None
) -> None:
    project.write({"~/config.toml": home.format(root=project.root)})
    project.write({".codex/config.toml": f'[projects."{project.root}"]\ntrust_level = "trusted"\n'})

    found = effective(project)

    assert (found.get("sandbox_mode"), found.get("approval_policy")) == (sandbox, approval)
    assert found.origin("sandbox_mode") == (str(project.home / "config.toml") if sandbox == "read-only" else None)
