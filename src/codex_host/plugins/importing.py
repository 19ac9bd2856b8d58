"""Import what an entry point names, and say where it failed in words that lead to the place."""

from __future__ import annotations

from importlib import import_module


def imported(value: str) -> object:
    """Import what an entry point names."""
    module, _, attribute = value.partition(":")
    loaded = import_module(module)
    for name in attribute.split(".") if attribute else ():
        loaded = getattr(loaded, name)
    return loaded


def reason_of(error: BaseException) -> str:
    """Return the last lines of what went wrong, and the file and line it went wrong at."""
    import traceback

    lines = "".join(traceback.format_exception_only(error)).strip().splitlines()
    if isinstance(error, SyntaxError) and error.filename:
        return f"{type(error).__name__}: {error.msg} ({error.filename}:{error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    places = [frame for frame in frames if not frame.filename.startswith("<frozen") and frame.filename != __file__]
    place = f" ({places[-1].filename}:{places[-1].lineno})" if places else ""
    return f"{' '.join(line.strip() for line in lines[-3:])}{place}"
