"""Describe why an import failed, with file and line."""

from __future__ import annotations

import os

_LOADERS = tuple(os.path.join(os.path.dirname(__file__), name) for name in ("loading.py", "guarded_import.py"))


def reason_of(error: BaseException) -> str:
    """Return the last lines of an error's description, with the file and line where it was raised."""
    import traceback

    lines = "".join(traceback.format_exception_only(error)).strip().splitlines()
    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__}: {error.msg} ({error.filename}:{error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    places = [frame for frame in frames if not frame.filename.startswith("<frozen") and frame.filename not in _LOADERS]
    place = f" ({places[-1].filename}:{places[-1].lineno})" if places else ""
    return f"{' '.join(line.strip() for line in lines[-3:])}{place}"
