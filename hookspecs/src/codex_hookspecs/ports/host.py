"""The host as plugins see it: configuration, features, services."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from logging import Logger

    from codex_hookspecs.ports.auth import ConnectionAuthenticator
    from codex_hookspecs.ports.environment import EnvironmentManager
    from codex_hookspecs.ports.sandbox import SandboxLauncher
    from codex_hookspecs.ports.threads import ThreadManager
    from codex_hookspecs.types.app_server.config import ConfigEdit
    from codex_hookspecs.types.config import ConfigChange, ConfigLayer, Feature
    from codex_hookspecs.types.sandbox import SandboxPolicy


class Config(Protocol):
    """The effective configuration and its layers."""

    @property
    def layers(self) -> Sequence[ConfigLayer]:
        """All layers, lowest precedence first; disabled ones have a reason."""
        ...

    @property
    def table(self) -> Mapping[str, Any]:
        """The merged table of all enabled layers."""
        ...

    def get(self, key: str, default: Any = None) -> Any:
        """Return the effective value of a dotted key.

        :param default: returned if no layer sets it.
        """
        ...

    def origin(self, key: str) -> str | None:
        """Return the file or flag that set a dotted key, or ``None``."""
        ...

    def for_directory(self, cwd: str | None, overrides: Mapping[str, Any] | None = None) -> Config:
        """Return the configuration of a directory, with its project layers if they are trusted.

        The configuration of the program looks for changed files first, and then has their values, too.

        :param cwd: the directory; with ``None``, there are no project layers.
        :param overrides: further session flags, dotted keys or nested tables.
        :raises ConfigError: when a changed file can't be used.
        """
        ...

    def warnings(self) -> Sequence[str]:
        """Return warnings about the files: ignored keys, probable typos, untrusted projects, each with the remedy."""
        ...

    def write_user(self, edits: Mapping[str, Any]) -> None:
        """Set dotted keys in the user's ``config.toml``, keeping comments and layout; ``None`` deletes a key.

        A part of a key that contains a dot is quoted: ``hooks.state."/a.json:stop:0:0".enabled``. A quote in it is
        doubled.

        :raises ConfigError: when the file can't be read or written.
        """
        ...

    def edit_user(self, edits: Sequence[ConfigEdit], *, expected_version: str | None = None) -> ConfigChange:
        """Make changes in the user's ``config.toml`` as clients of the app-server request them: all or none.

        Keys are written as for :meth:`write_user`; ``null`` deletes a key. Comments and layout stay. The result is
        validated before the file is replaced. It waits for other programs that change the file, so call it in a thread.

        :param expected_version: :attr:`ConfigLayer.version` that the file must have; ``None`` for any.
        :return: the new version, and whether another layer, apart from those of projects, overrides a changed key.
        :raises ConfigConflict: when the file has another version.
        :raises ConfigError: when an edit or the result is invalid, or the file can't be read or written.
        """
        ...


class Features(Protocol):
    """The feature flags of the program."""

    def enabled(self, key: str) -> bool:
        """Return whether a feature is enabled; aliases are accepted, an unknown key is disabled."""
        ...

    def all(self) -> Sequence[Feature]:
        """Return every feature, sorted by key."""
        ...

    def set_default(self, key: str, enabled: bool) -> None:
        """Change the default of a feature until the program ends; the configuration takes precedence.

        :param key: key of a known feature; others are ignored.
        """
        ...


class Host(Protocol):
    """The running program; every hook implementation can take it as a parameter named ``host``."""

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
        """Absolute working directory of the program: where it was started, or the one given with ``-C``."""
        ...

    @property
    def config(self) -> Config:
        """Configuration of ``cwd``."""
        ...

    @property
    def features(self) -> Features:
        """The effective feature flags."""
        ...

    @property
    def environ(self) -> Mapping[str, str]:
        """Environment variables of the program."""
        ...

    @property
    def threads(self) -> ThreadManager:
        """Manager of threads."""
        ...

    @property
    def environments(self) -> EnvironmentManager:
        """Manager of environments."""
        ...

    def connection_authenticators(self) -> Sequence[ConnectionAuthenticator]:
        """Return the authenticators of incoming connections."""
        ...

    def launcher(self, policy: SandboxPolicy) -> SandboxLauncher:
        """Return a launcher that can enforce a policy locally.

        Asked by a launcher, or by an implementation of ``sandbox_launcher``, it returns the launcher after that one,
        which can be wrapped.

        :raises SandboxUnavailable: when no plugin has one.
        """
        ...

    def logger(self, plugin: str) -> Logger:
        """Return the logger of a plugin; secrets must not be logged."""
        ...

    def startup_warnings(self) -> Sequence[str]:
        """Return warnings from the start of the program: plugins not loaded, unfinished features, deprecations."""
        ...

    def on_warning(self, tell: Callable[[str], None]) -> None:
        """Call a function with each warning that comes up from now on, once; clients of threads are told anyway."""
        ...

    def unavailable(self, hook: str) -> Sequence[str]:
        """Return why plugins that implement a hook can't be asked: not loaded, quarantined, or failed when called."""
        ...
