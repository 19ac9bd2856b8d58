import pytest

from codex_hookspecs.surface import UsageError
from codex_ui_recent import plugin


async def test_the_newest_threads_are_listed(host, capsys):
    agent = host(plugins=[plugin])
    run = await agent.turn("fix the tests")

    status = await agent.command("recent", "5")

    assert status == 0
    assert capsys.readouterr().out == f"{run.thread.id} fix the tests\n"


async def test_anything_but_a_number_is_refused(host):
    with pytest.raises(UsageError, match="takes one number"):
        await host(plugins=[plugin]).command("recent", "many")
