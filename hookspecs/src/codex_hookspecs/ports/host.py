"""What the host gives every plugin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from logging import Logger

    from codex_hookspecs.ports.auth import ConnectionAuthenticator
    from codex_hookspecs.ports.environment import EnvironmentManager
    from codex_hookspecs.ports.sandbox import SandboxLauncher
    from codex_hookspecs.ports.threads import ThreadManager
    from codex_hookspecs.types.config import ConfigLayer, Feature
    from codex_hookspecs.types.sandbox import SandboxPolicy


class Config(Protocol):
    """The effective configuration and the layers it came from."""

    @property
    def layers(self) -> Sequence[ConfigLayer]:
        """All layers, lowest precedence first, those that don't count with their reason."""
        ...

    @property
    def table(self) -> Mapping[str, Any]:
        """The merged tables of all layers that count."""
        ...

    def get(self, key: str, default: Any = None) -> Any:
        """Return the effective value of a dotted key.

        :param default: what to return when no layer sets it.
        """
        ...

    def origin(self, key: str) -> str | None:
        """Return the file or flag that set a dotted key, or ``None``."""
        ...

    def for_directory(self, cwd: str, overrides: Mapping[str, Any] | None = None) -> Config:
        """Return the configuration as it holds in a directory: its project layers count if they are trusted.

        :param overrides: further session flags, dotted keys or nested tables.
        """
        ...

    def write_user(self, edits: Mapping[str, Any]) -> None:
        """Set dotted keys in the user's ``config.toml``, keeping comments and layout; ``None`` deletes a key.

        A key part that holds a dot is written in quotes: ``hooks.state."/a.json:stop:0:0".enabled``. A quote in it is
        written twice.

        :raises ConfigError: when the file can't be read or written.
        """
        ...


class Features(Protocol):
    """The switches of the program."""

    def enabled(self, key: str) -> bool:
        """Tell whether a feature is on; aliases work, an unknown key is off."""
        ...

    def all(self) -> Sequence[Feature]:
        """Return every feature, sorted by key."""
        ...


class Host(Protocol):
    """The running program, as every hook can ask for it with a parameter named ``host``."""

    @property
    def version(self) -> str:
        """Version of the host."""
        ...

    @property
    def codex_home(self) -> str:
        """Absolute path of ``$CODEX_HOME``, which exists."""
        ...

    @property
    def cwd(self) -> str:
        """Absolute directory that the program works in: where it was started, or the one given with ``-C``."""
        ...

    @property
    def config(self) -> Config:
        """Configuration of ``cwd``."""
        ...

    @property
    def features(self) -> Features:
        """Feature switches in force."""
        ...

    @property
    def environ(self) -> Mapping[str, str]:
        """Environment variables of the program."""
        ...

    @property
    def threads(self) -> ThreadManager:
        """Threads that are loaded, and the way to load more."""
        ...

    @property
    def environments(self) -> EnvironmentManager:
        """Machines that threads can work on."""
        ...

    def connection_authenticators(self) -> Sequence[ConnectionAuthenticator]:
        """Return who can check the credentials of incoming connections."""
        ...

    def launcher(self, policy: SandboxPolicy) -> SandboxLauncher:
        """Return who holds a policy on this machine.

        Asked by a launcher, or by an implementation of ``sandbox_launcher``, it returns the launcher after that one,
        which can be wrapped.

        :raises SandboxUnavailable: when no plugin can.
        """
        ...

    def logger(self, plugin: str) -> Logger:
        """Return the log of a plugin; nothing secret belongs in it."""
        ...

    def startup_warnings(self) -> Sequence[str]:
        """Return what the user should know of how the program came up: plugins left out, features, deprecations."""
        ...

    def on_warning(self, tell: Callable[[str], None]) -> None:
        """Call a function with each warning that comes up from now on, once; clients of threads are told anyway."""
        ...

    def unavailable(self, hook: str) -> Sequence[str]:
        """Return why plugins that implement a hook can't be asked: not loaded, quarantined, or failed when called."""
        ...
