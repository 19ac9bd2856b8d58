"""Command lines with options for authentication that start no server, and some that do."""

from __future__ import annotations

from typing import NamedTuple

from interop.websocket_auth import CAPABILITY, LARGEST, SHARED, SIGNED, SKEW, TOKEN, sha256

OTHER_MODE = (
    "Error: `--ws-shared-secret-file`, `--ws-issuer`, `--ws-audience`, and `--ws-max-clock-skew-seconds` require "
    "`--ws-auth signed-bearer-token`"
)
NO_MODE = "Error: websocket auth flags require `--ws-auth capability-token` or `--ws-auth signed-bearer-token`"
VALUE = "error: a value is required for '{} <{}>' but none was supplied"
DIGEST_FORM = "Error: --ws-token-sha256 must be a 64-character hex SHA-256 digest"
SKEW_VALUE = "error: invalid value '{}' for '--ws-max-clock-skew-seconds <SECONDS>': {}"
DIGEST = sha256("open-sesame")


class Refusal(NamedTuple):
    """A command line that starts no server.

    :param told: a line of its output; ``{}`` stands for the directory.
    :param older: the line of 0.118, if it is another.
    """

    sentence: str
    arguments: tuple[str, ...]
    status: int
    told: str
    older: str = ""


def _files(mode: tuple[str, ...], option: str) -> list[Refusal]:
    failed = "Error: failed to read websocket auth secret {}/"
    told = {
        "empty": "Error: websocket auth secret {}/empty must not be empty",
        "blank": "Error: websocket auth secret {}/blank must not be empty",
        "binary": f"{failed}binary: stream did not contain valid UTF-8",
        "missing": f"{failed}missing: No such file or directory (os error 2)",
        "directory": f"{failed}directory: Is a directory (os error 21)",
    }
    return [Refusal(f"{option} {name}", (*mode, option, name), 1, text) for name, text in told.items()]


REFUSALS = [
    Refusal(
        "a capability token needs its file",
        CAPABILITY,
        1,
        "Error: `--ws-token-file` or `--ws-token-sha256` is required when `--ws-auth capability-token` is set",
        "Error: `--ws-token-file` is required when `--ws-auth capability-token` is set",
    ),
    Refusal(
        "a signed token needs its secret",
        SIGNED,
        1,
        "Error: `--ws-shared-secret-file` is required when `--ws-auth signed-bearer-token` is set",
    ),
    *_files(CAPABILITY, "--ws-token-file"),
    *_files(SIGNED, "--ws-shared-secret-file"),
    Refusal(
        "a secret has at least 32 bytes",
        (*SIGNED, "--ws-shared-secret-file", "secret-31"),
        1,
        "Error: signed websocket bearer secret {}/secret-31 must be at least 32 bytes",
    ),
    *(
        Refusal(f"{option} belongs to signed tokens", (*TOKEN, option, value), 1, OTHER_MODE)
        for option, value in (
            ("--ws-shared-secret-file", "secret"),
            ("--ws-issuer", "me"),
            ("--ws-audience", "you"),
            (SKEW, "30"),
        )
    ),
    Refusal("a blank issuer belongs to signed tokens, too", (*TOKEN, "--ws-issuer", " "), 1, OTHER_MODE),
    Refusal("the other mode is told before a missing file", (*CAPABILITY, "--ws-issuer", "me"), 1, OTHER_MODE),
    *(
        Refusal(
            sentence,
            (*arguments, "--ws-token-file", "token"),
            1,
            "Error: `--ws-token-file` and `--ws-token-sha256` require `--ws-auth capability-token`, "
            "not `signed-bearer-token`",
            "Error: `--ws-token-file` requires `--ws-auth capability-token`, not `signed-bearer-token`",
        )
        for sentence, arguments in (
            ("a token file belongs to capability tokens", SHARED),
            ("the other mode is told before a missing secret", SIGNED),
        )
    ),
    *(
        Refusal(f"{option} needs a mode", (option, value), 1, NO_MODE)
        for option, value in (
            ("--ws-token-file", "token"),
            ("--ws-shared-secret-file", "secret"),
            ("--ws-issuer", "me"),
            ("--ws-audience", "you"),
            (SKEW, "5"),
        )
    ),
    Refusal("a blank issuer needs a mode", ("--ws-issuer", " "), 1, NO_MODE),
    *(
        Refusal(
            f"a skew of {value} is too large",
            (*SHARED, SKEW, str(value)),
            1,
            "Error: websocket auth clock skew must fit in a signed 64-bit integer",
        )
        for value in (2**63, 2**64 - 1)
    ),
    Refusal(
        "a short secret is told before a large skew",
        (*SIGNED, "--ws-shared-secret-file", "secret-31", SKEW, str(2**63)),
        1,
        "Error: signed websocket bearer secret {}/secret-31 must be at least 32 bytes",
    ),
    *(
        Refusal(f"a skew of '{value}' is no number", (*SHARED, f"{SKEW}={value}"), 2, SKEW_VALUE.format(value, fault))
        for value, fault in (
            (str(2**64), "number too large to fit in target type"),
            ("x", "invalid digit found in string"),
            ("-1", "invalid digit found in string"),
            ("1.5", "invalid digit found in string"),
            (" 5", "invalid digit found in string"),
            ("", "cannot parse integer from empty string"),
        )
    ),
    Refusal("a negative number is no value", (*SHARED, SKEW, "-1"), 2, "error: unexpected argument '-1' found"),
    Refusal("an unknown mode", ("--ws-auth", "password"), 2, "error: invalid value 'password' for '--ws-auth <MODE>'"),
    Refusal(
        "letter case of a mode counts",
        ("--ws-auth", "Capability-Token"),
        2,
        "error: invalid value 'Capability-Token' for '--ws-auth <MODE>'",
    ),
    Refusal("a mode is needed", ("--ws-auth",), 2, VALUE.format("--ws-auth", "MODE")),
    Refusal("a mode is not empty", ("--ws-auth", ""), 2, VALUE.format("--ws-auth", "MODE")),
    Refusal("a file has a name", (*CAPABILITY, "--ws-token-file", ""), 2, VALUE.format("--ws-token-file", "PATH")),
    Refusal(
        "an option is no value",
        (*CAPABILITY, "--ws-token-file", "--ws-issuer", "x"),
        2,
        VALUE.format("--ws-token-file", "PATH"),
    ),
    Refusal(
        "a mode is given once",
        (*TOKEN, *CAPABILITY),
        2,
        "error: the argument '--ws-auth <MODE>' cannot be used multiple times",
    ),
    Refusal(
        "a file is given once",
        (*TOKEN, "--ws-token-file", "token"),
        2,
        "error: the argument '--ws-token-file <PATH>' cannot be used multiple times",
    ),
]

DIGEST_REFUSALS = [
    Refusal(
        "a file and a digest exclude each other",
        (*TOKEN, "--ws-token-sha256", DIGEST),
        1,
        "Error: `--ws-token-file` and `--ws-token-sha256` are mutually exclusive",
    ),
    *(
        Refusal(sentence, (*CAPABILITY, "--ws-token-sha256", value), 1, DIGEST_FORM)
        for sentence, value in (
            ("a digest has 64 digits", DIGEST[1:]),
            ("a digest has no more digits", DIGEST + "0"),
            ("a digest is hexadecimal", "g" * 64),
            ("a digest has no prefix", f"sha256:{DIGEST}"),
            ("a digest is not empty", ""),
            ("a digest is not blank", " "),
        )
    ),
    Refusal(
        "a digest belongs to capability tokens",
        (*SHARED, "--ws-token-sha256", DIGEST),
        1,
        "Error: `--ws-token-file` and `--ws-token-sha256` require `--ws-auth capability-token`, "
        "not `signed-bearer-token`",
    ),
    Refusal("a digest needs a mode", ("--ws-token-sha256", DIGEST), 1, NO_MODE),
]
"""Those with the option that 0.118 has not."""

STARTS = [
    ("a token may be short", (*CAPABILITY, "--ws-token-file", "short")),
    ("a token may be one that no client can send", (*CAPABILITY, "--ws-token-file", "other")),
    ("a secret of 32 bytes may have fewer letters", (*SIGNED, "--ws-shared-secret-file", "secret-16-wide")),
    ("the largest skew is allowed", (*SHARED, SKEW, str(LARGEST))),
    ("a skew may have a sign", (*SHARED, SKEW, "+5")),
    ("a skew may have zeros in front", (*SHARED, SKEW, "005")),
    ("options may have their values behind =", ("--ws-auth=capability-token", "--ws-token-file=token")),
]
