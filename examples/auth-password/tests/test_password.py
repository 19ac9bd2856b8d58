import pytest

from codex_auth_password import plugin
from codex_auth_password.plugin import Password
from codex_hookspecs.auth import AcceptedClient, ConnectionAuthOptions
from codex_hookspecs.errors import ConfigError


@pytest.fixture
def check(tmp_path):
    (tmp_path / "password").write_text("open sesame\n")
    return Password().prepare(ConnectionAuthOptions(mode="password", token_file=str(tmp_path / "password")))


def test_who_knows_the_password_is_let_in(check):
    assert check("Bearer open sesame") == AcceptedClient("somebody with the password")


@pytest.mark.parametrize("sent", [None, "", "open sesame", "Bearer open", "Bearer open sesame!", "Bearer ö"])
def test_everybody_else_is_refused(check, sent):
    assert check(sent) == "wrong password"


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_a_file_without_a_password_is_told_before_anybody_connects(tmp_path, content):
    if content is not None:
        (tmp_path / "password").write_text(content)

    with pytest.raises(ConfigError, match="holds no password"):
        Password().prepare(ConnectionAuthOptions(mode="password", token_file=str(tmp_path / "password")))


def test_the_option_for_the_file_is_needed():
    with pytest.raises(ConfigError, match="--ws-token-file"):
        Password().prepare(ConnectionAuthOptions(mode="password"))


async def test_the_program_finds_it_by_its_mode(host):
    program = await host(plugins=[plugin]).program()

    assert [each.mode for each in program.connection_authenticators()] == ["password"]
