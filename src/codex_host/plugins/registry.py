"""Register plugins with pluggy, after validating implementations against their specifications."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

import pluggy
from attrs import define, field

from codex_hookspecs.errors import HookSpecError
from codex_hookspecs.markers import PROJECT, HookPolicy, policy_of
from codex_hookspecs.specs import AREAS
from codex_host.plugins.order import Candidate, in_order, mark_of
from codex_host.plugins.signatures import check_implementation, implementations, options_of, place_of, unknown_hook

if TYPE_CHECKING:
    from codex_host.plugins.manifest import Manifest

State = Literal["loaded", "disabled", "untrusted", "incompatible", "failed"]


@define(kw_only=True, eq=False, repr=False)
class PluginStatus:
    """The status of one plugin.

    :param distribution: distribution that contains it.
    :param detail: why it is not loaded (with the last lines of a traceback), or the empty string.
    :param expected: whether it is rightly not loaded, e.g. on another platform.
    :param mistakes: non-fatal mistakes of its author, and hooks that are not called yet.
    :param remedy: command that changes the status, or the empty string.
    :param hooks: hooks that it implements; as long as it is not loaded, those listed in its manifest.
    :param wordless: those of its commands that can be called without any word after them.
    :param before: plugins that its manifest puts it before.
    :param after: plugins that its manifest puts it after.
    :param trusted: whether it is first-party or was trusted, even if its files have changed since; also set for plugins
        that are not loaded.
    :param quarantined: reasons of quarantines, by hook.
    """

    name: str
    version: str = ""
    distribution: str = ""
    first_party: bool = False
    state: State = "loaded"
    detail: str = ""
    remedy: str = ""
    hooks: tuple[str, ...] = ()
    description: str = ""
    commands: dict[str, str] = field(factory=dict)
    wordless: tuple[str, ...] = ()
    expected: bool = False
    trusted: bool = False
    quarantined: dict[str, str] = field(factory=dict)
    mistakes: list[str] = field(factory=list)
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def is_missing(self) -> bool:
        """Whether it should be running but is not."""
        return self.trusted and not self.expected and self.state in ("failed", "incompatible", "untrusted")

    @property
    def objection(self) -> str:
        """Why ``--strict-plugins`` fails because of it, or the empty string."""
        if self.expected:
            return ""
        return self.warning if self.state in ("failed", "incompatible", "untrusted") else self.quarantine

    @property
    def quarantine(self) -> str:
        """Message about its quarantined hooks, or the empty string."""
        if not self.quarantined:
            return ""
        reasons = "; ".join(self.quarantined.values())
        return f"plugin {self.name} is quarantined: {reasons} (run: codex plugins enable {self.name})"

    @property
    def warning(self) -> str:
        """Message about a plugin that is not loaded."""
        remedy = f" (run: {self.remedy})" if self.remedy else ""
        return f"plugin {self.name} is {self.state}: {self.detail}{remedy}"


class _Manager(pluggy.PluginManager):
    """A plugin manager that only looks for our markers: pluggy's own search looks up every name of a module thrice."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> Any:
        """Return the options of an implementation, ``None`` for anything else."""
        return options_of(getattr(plugin, name, None))

    def parse_hookspec_opts(self, module_or_class: object, name: str) -> Any:
        """Return the options of a specification, ``None`` for anything else."""
        return getattr(getattr(module_or_class, name, None), f"{PROJECT}_spec", None)


class Registry:
    """Hook specifications, registered plugins, and the status of every installed plugin.

    :ivar preferred: plugins to call first by the user's setting, by hook.
    """

    def __init__(self) -> None:
        self.manager = _Manager(PROJECT)
        self.statuses: dict[str, PluginStatus] = {}
        self.policies: dict[str, HookPolicy] = {}
        self.preferred: dict[str, tuple[str, ...]] = {}
        self.deferred: dict[str, tuple[frozenset[str], Callable[[], None]]] = {}
        self._specs: dict[str, Callable[..., Any]] = {}
        for area in AREAS:
            self.manager.add_hookspecs(area)
            for name, function in vars(area).items():
                if hasattr(function, "codex_policy"):
                    self._specs[name] = function
                    self.policies[name] = policy_of(function)

    def register(self, plugin: object, name: str) -> tuple[str, ...]:
        """Validate and register a plugin.

        :param plugin: module or object that carries implementations.
        :return: names of the hooks it implements.
        :raises HookSpecError: when an implementation does not fit its specification; the plugin is not registered then.
        """
        hooks = []
        for hook, implementation in implementations(plugin):
            spec = self._specs.get(hook)
            if spec is None:
                text = f"{unknown_hook(hook, sorted(self._specs))}{place_of(implementation)}"
                raise HookSpecError(text, plugin=name, hook=hook)
            check_implementation(spec, implementation, policy=self.policies[hook], plugin=name, hook=hook)
            hooks.append(hook)
        try:
            self.manager.register(plugin, name=name)
        except (pluggy.PluginValidationError, ValueError) as error:
            if self.manager.has_plugin(name):
                self.manager.unregister(name=name)
            raise HookSpecError(str(error), plugin=name, hook="") from error
        return tuple(sorted(hooks))

    def mistakes(self, plugin: object, manifest: Manifest) -> list[str]:
        """Return differences between a plugin's manifest and its implementations."""
        from codex_host.plugins.declared import mistakes

        return mistakes(plugin, manifest, self.policies)

    def uncalled_hooks(self, hooks: Iterable[str]) -> list[str]:
        """Return messages about a plugin's hooks that this version does not call yet."""
        return [
            f"it implements the hook {hook}, which this version of the host does not call yet"
            for hook in sorted(hooks)
            if self.policies[hook].not_called_yet
        ]

    def load_for(self, hook: str | None, plugin: str | None = None) -> list[PluginStatus]:
        """Load the plugins that were deferred until one of their hooks is called.

        :param hook: the hook, or ``None`` for any.
        :param plugin: load only this one.
        :return: the status of each.
        """
        wanted = [
            name for name, (hooks, _) in self.deferred.items() if hook in (None, *hooks) and plugin in (None, name)
        ]
        for name in wanted:
            self.deferred.pop(name)[1]()
        return [self.statuses[name] for name in wanted]

    def implementations(self, hook: str) -> list[Any]:
        """Return pluggy's ``HookImpl`` objects of a hook, in call order."""
        impls = getattr(self.manager.hook, hook).get_hookimpls()
        ordered = self.in_order(hook, {impl.plugin_name for impl in impls})
        return sorted(impls, key=lambda impl: ordered.index(impl.plugin_name))

    def sharing(self, hook: str) -> list[str]:
        """Return the plugins that implement a hook, in order, those that are not imported yet among them."""
        names = {impl.plugin_name for impl in getattr(self.manager.hook, hook).get_hookimpls()}
        names.update(name for name, (hooks, _) in self.deferred.items() if hook in hooks)
        return self.in_order(hook, names)

    def in_order(self, hook: str, names: Iterable[str]) -> list[str]:
        """Return plugins in the call order of a hook; those that are not imported have no mark."""
        impls = getattr(self.manager.hook, hook).get_hookimpls()
        marks = {impl.plugin_name: mark_of(impl.opts) for impl in impls}
        plugins = (candidate_of(self.status(name), marks.get(name, "")) for name in names)
        ordered = in_order(self.policies[hook].kind, plugins, self.preferred.get(hook, ()))
        return [plugin.name for plugin in ordered]

    def status(self, name: str) -> PluginStatus:
        """Return the status of a plugin, created on first use."""
        found = self.statuses.get(name)
        if found is None:
            found = self.statuses[name] = PluginStatus(name=name)
        return found


def candidate_of(status: PluginStatus, mark: str = "") -> Candidate:
    """Return a plugin as a candidate for ordering.

    :param mark: ``tryfirst`` or ``trylast``, as its implementation is marked.
    """
    return Candidate(status.name, status.first_party, mark, status.before, status.after)
