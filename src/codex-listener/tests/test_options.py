"""The options ``--ws-…``: which values they take, and what is told about wrong ones."""

from __future__ import annotations

import pytest

from codex_hookspecs.auth import ConnectionAuthOptions
from codex_hookspecs.errors import ConfigError, UsageError
from codex_listener.options import AUTH_VALUED, auth_options, authenticator, read_options

SKEW = "--ws-max-clock-skew-seconds"


def options(*arguments: str) -> ConnectionAuthOptions | None:
    return auth_options(read_options(arguments, AUTH_VALUED, usage="Usage: x"), usage="Usage: x")


class Host:
    """A host with plugins for some modes."""

    def __init__(self, *modes: str, unavailable: tuple[str, ...] = ()) -> None:
        self._modes = modes
        self._unavailable = unavailable

    def connection_authenticators(self):
        class Authenticator:
            def __init__(self, mode: str) -> None:
                self.mode = mode

            def prepare(self, options):
                return lambda authorization: options.token_file

        return [Authenticator(mode) for mode in self._modes]

    def unavailable(self, hook: str) -> tuple[str, ...]:
        return self._unavailable


def test_options_are_read_in_both_forms() -> None:
    found = options("--ws-auth=own", "--ws-token-file", "t", "--ws-issuer=", SKEW, "+05")

    assert found == ConnectionAuthOptions(mode="own", token_file="t", issuer="", max_clock_skew_seconds=5)


def test_without_options_nobody_authenticates() -> None:
    assert options() is None
    assert authenticator(None, Host(), usage="") is None


def test_a_skew_is_any_unsigned_64_bit_integer() -> None:
    found = options("--ws-auth=own", SKEW, "0" * 5000 + str(2**64 - 1))

    assert found is not None
    assert found.max_clock_skew_seconds == 2**64 - 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--ws-auth",), "a value is required for '--ws-auth <MODE>' but none was supplied\n  [possible values: cap"),
        (("--ws-auth=",), "a value is required for '--ws-auth <MODE>' but none was supplied\n  [possible values: cap"),
        (("--ws-token-file", ""), "a value is required for '--ws-token-file <PATH>' but none was supplied"),
        (("--ws-token-file", "--ws-issuer"), "a value is required for '--ws-token-file <PATH>'"),
        (("--ws-issuer", "a", "--ws-issuer=a"), "the argument '--ws-issuer <ISSUER>' cannot be used multiple times"),
        (("--ws-auth=own", SKEW, "-1"), "unexpected argument '-1' found"),
        *(
            (("--ws-auth=own", f"{SKEW}={value}"), f"invalid value '{value}' for '{SKEW} <SECONDS>': {fault}")
            for value, fault in (
                ("", "cannot parse integer from empty string"),
                ("x", "invalid digit found in string"),
                ("+", "invalid digit found in string"),
                ("++5", "invalid digit found in string"),
                ("\u0665", "invalid digit found in string"),
                ("5_0", "invalid digit found in string"),
                (str(2**64), "number too large to fit in target type"),
                ("9" * 5000, "number too large to fit in target type"),
            )
        ),
    ],
)
def test_a_wrong_value_is_told_with_the_usage(arguments: tuple[str, ...], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        options(*arguments)

    assert str(caught.value).startswith(told)
    assert caught.value.usage == "Usage: x"


@pytest.mark.parametrize("name", [name for name in AUTH_VALUED if name != "--ws-auth"])
def test_every_option_needs_a_mode(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^websocket auth flags require `--ws-auth capability-token` or"):
        options(f"{name}=5")


@pytest.mark.parametrize(
    ("mode", "tip"),
    [
        ("Capability-Token", "a similar value exists: 'capability-token'"),
        ("own1", "a similar value exists: 'own'"),
        ("?", None),
    ],
)
def test_a_mode_that_nobody_has_is_told_with_those_there_are(mode: str, tip: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        authenticator(ConnectionAuthOptions(mode=mode), Host("own", unavailable=("plugin x failed",)), usage="")

    assert str(caught.value) == (
        f"invalid value '{mode}' for '--ws-auth <MODE>'\n"
        "  [possible values: capability-token, signed-bearer-token, own]\n"
        "  not asked: plugin x failed"
    )
    assert caught.value.tip == tip


def test_the_plugin_of_the_mode_is_asked() -> None:
    check = authenticator(ConnectionAuthOptions(mode="own", token_file="/t"), Host("other", "own"), usage="")

    assert check is not None
    assert check(None) == "/t"


def test_without_a_plugin_for_a_known_mode_nothing_is_served() -> None:
    with pytest.raises(
        ConfigError, match=r"cannot authenticate clients with --ws-auth capability-token: .*plugin x is"
    ):
        authenticator(
            ConnectionAuthOptions(mode="capability-token"), Host(unavailable=("plugin x is disabled",)), usage=""
        )
