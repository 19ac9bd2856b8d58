"""When a patch is applied, and what it asks an approval for."""

import attrs
import pytest

from codex_hookspecs.errors import ToolRejected
from codex_hookspecs.sandbox import SandboxPolicy

pytestmark = pytest.mark.anyio

WORKSPACE = SandboxPolicy("workspaceWrite", exclude_slash_tmp=True, exclude_tmpdir_env_var=True)
OUTSIDE = "outside of the project"


async def test_under_never_a_patch_inside_the_workspace_is_applied(conversation, tree):
    conversation.sandbox(WORKSPACE, "never")

    await conversation.patch("*** Add File: a\n+1")

    assert tree() == {"a": b"1\n"}


@pytest.mark.parametrize(
    "body",
    [
        "*** Add File: ../out\n+1",
        "*** Add File: /etc/out\n+1",
        "*** Add File: .git/hooks/pre-commit\n+1",
        "*** Add File: .codex/hooks.json\n+{}",
        "*** Update File: a\n*** Move to: ../out\n@@\n-x\n+y",
        "*** Add File: link/out\n+1",
        "*** Update File: alias\n@@\n-s\n+t",
        "*** Delete File: link/secret",
        "*** Add File: fine\n+1\n*** Add File: ../out\n+1",
    ],
)
async def test_under_never_a_patch_that_leads_outside_is_refused_unannounced(conversation, tree, work, tmp_path, body):
    (work / "a").write_text("x\n")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("s\n")
    (work / "link").symlink_to(tmp_path / "outside")
    (work / "alias").symlink_to(tmp_path / "outside/secret")
    conversation.sandbox(WORKSPACE, "never")
    before = tree()

    with pytest.raises(ToolRejected) as caught:
        await conversation.patch(body)

    assert str(caught.value) == OUTSIDE
    assert tree() == before
    assert conversation.told == []
    assert not (tmp_path / "out").exists()


async def test_under_never_a_read_only_workspace_refuses_every_patch(conversation, tree):
    conversation.sandbox(SandboxPolicy("readOnly"), "never")

    with pytest.raises(ToolRejected, match=OUTSIDE):
        await conversation.patch("*** Add File: a\n+1")

    assert tree() == {}


async def test_a_link_inside_the_workspace_can_be_deleted_wherever_it_leads(conversation, work, tmp_path):
    (tmp_path / "secret").write_text("s\n")
    (work / "alias").symlink_to(tmp_path / "secret")
    conversation.sandbox(WORKSPACE, "never")

    await conversation.patch("*** Delete File: alias")

    assert not (work / "alias").is_symlink()
    assert (tmp_path / "secret").exists()


async def test_an_approval_is_asked_for_with_the_real_paths(conversation, work, tmp_path):
    (tmp_path / "outside").mkdir()
    (work / "link").symlink_to(tmp_path / "outside")
    conversation.sandbox(WORKSPACE, "on-request")

    await conversation.patch("*** Add File: link/a\n+1\n*** Add File: b\n+1")

    outside = f"{tmp_path}/outside/a"
    assert conversation.asked == [((outside, f"{work}/b"), (outside,))]
    assert (tmp_path / "outside/a").exists()


async def test_a_link_to_nowhere_is_replaced_and_not_written_through(conversation, work, tmp_path):
    (work / "link").symlink_to(tmp_path / "elsewhere")
    conversation.sandbox(WORKSPACE, "never")

    await conversation.patch("*** Add File: link\n+1")

    assert (work / "link").read_text() == "1\n"
    assert not (tmp_path / "elsewhere").exists()


async def test_a_workspace_that_is_reached_through_a_link_is_the_workspace(conversation, work, tmp_path, tree):
    (tmp_path / "alias").symlink_to(work)
    conversation.cwd = tmp_path / "alias"
    conversation.sandbox(WORKSPACE, "never")

    await conversation.patch("*** Add File: a\n+1")

    assert tree() == {"a": b"1\n"}


@pytest.mark.parametrize("place", ["worktrees/w/config.worktree", "hooks/pre-commit", "config"])
async def test_the_repository_of_a_work_tree_is_closed_unless_it_is_named(conversation, work, tmp_path, place):
    repository = tmp_path / "main/.git"
    (repository / "worktrees/w").mkdir(parents=True)
    (repository / "worktrees/w/commondir").write_text("../..\n")
    (work / ".git").write_text(f"gitdir: {repository}/worktrees/w\n")
    body = f"*** Add File: {repository}/{place}\n+1"

    conversation.sandbox(attrs.evolve(WORKSPACE, writable_roots=(str(tmp_path),)), "never")
    with pytest.raises(ToolRejected, match=OUTSIDE):
        await conversation.patch(body)
    conversation.sandbox(attrs.evolve(WORKSPACE, writable_roots=(str(tmp_path), str(repository))), "never")
    await conversation.patch(body)

    assert (repository / place).read_text() == "1\n"
