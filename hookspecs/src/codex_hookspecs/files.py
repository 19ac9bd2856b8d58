"""Read files with limits, replace them atomically, lock them."""

from __future__ import annotations

from codex_hookspecs._lazy import exported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from codex_hookspecs.errors import ConfigError as ConfigError
    from codex_hookspecs.file_reading import MAX_FILE_BYTES as MAX_FILE_BYTES
    from codex_hookspecs.file_reading import TooDeep as TooDeep
    from codex_hookspecs.file_reading import is_too_deep as is_too_deep
    from codex_hookspecs.file_reading import parse_toml as parse_toml
    from codex_hookspecs.file_reading import read_bytes as read_bytes
    from codex_hookspecs.file_reading import read_text as read_text
    from codex_hookspecs.state_file import LOCK_FILE as LOCK_FILE
    from codex_hookspecs.state_file import LOCK_SECONDS as LOCK_SECONDS
    from codex_hookspecs.state_file import locked as locked
    from codex_hookspecs.state_file import make_private as make_private
    from codex_hookspecs.state_file import replace_file as replace_file

__all__, __getattr__, __dir__ = exported(
    __name__,
    {
        "errors": "ConfigError",
        "file_reading": "MAX_FILE_BYTES TooDeep is_too_deep parse_toml read_bytes read_text",
        "state_file": "LOCK_FILE LOCK_SECONDS locked make_private replace_file",
    },
)
