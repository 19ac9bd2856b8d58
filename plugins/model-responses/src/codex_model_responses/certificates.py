"""Build the TLS context that servers are verified with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from codex_hookspecs.errors import ModelError

if TYPE_CHECKING:
    from ssl import SSLContext

_VARIABLES: Final = ("CODEX_CA_CERTIFICATE", "SSL_CERT_FILE")


def tls_context(environ: Mapping[str, str]) -> SSLContext:
    """Return a context that trusts the system's authorities, those of certifi and the user's own.

    The user's are those in the PEM file that ``CODEX_CA_CERTIFICATE`` names, or ``SSL_CERT_FILE`` if that is not set.

    :raises ModelError: when that file can't be used.
    """
    import ssl

    import certifi  # a plain http provider does without

    context = ssl.create_default_context()
    # Python 3.13 refuses authorities without extensions that many company networks leave out; Codex takes them.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.load_verify_locations(cafile=certifi.where())
    for variable in _VARIABLES:
        path = environ.get(variable, "")
        if path:
            _trust(context, path, variable)
            break
    return context


def _trust(context: SSLContext, path: str, variable: str) -> None:
    import ssl

    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError as error:
        raise ModelError(
            f"{variable} names {path}, which holds no usable certificate ({error.reason or error}). "
            "It must be a PEM file with at least one certificate; correct the file or unset the variable.",
            info="other",
        ) from error
    except OSError as error:
        raise ModelError(
            f"{variable} names {path}, which can't be read ({error.strerror}). Correct the path or unset the variable.",
            info="other",
        ) from error
