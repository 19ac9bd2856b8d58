"""Names that are imported when they are first used: exports of façades, types of RPC methods."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from codex_hookspecs.ports.surface import RpcType


def exported(
    facade: str, names: Mapping[str, str]
) -> tuple[list[str], Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__all__``, ``__getattr__`` and ``__dir__`` of a façade.

    :param facade: ``__name__`` of the module.
    :param names: exported names by defining module, relative to this package, separated by spaces.
    """
    import sys

    homes = {name: module for module, listed in names.items() for name in listed.split()}
    public = sorted(homes)

    def getattr_(name: str) -> object:
        try:
            module = homes[name]
        except KeyError:
            raise AttributeError(f"module {facade!r} has no attribute {name!r}") from None
        from importlib import import_module

        value = getattr(import_module(f"{__package__}.{module}"), name)
        setattr(sys.modules[facade], name, value)
        return value

    def dir_() -> list[str]:
        return sorted({*vars(sys.modules[facade]), *public})

    return public, getattr_, dir_


def protocol_type(name: str) -> Callable[[], Any]:
    """Return a function that returns a type of :mod:`codex_hookspecs.protocol`, which is imported only then.

    :param name: e.g. ``ThreadReadParams``.
    """

    def load() -> Any:
        from importlib import import_module

        return getattr(import_module(f"{__package__}.protocol"), name)

    return load


def resolve_type(kind: RpcType) -> Any:
    """Return the class or union that describes parameters or a result, ``None`` if there is none."""
    return kind() if callable(kind) and not isinstance(kind, type) else kind
