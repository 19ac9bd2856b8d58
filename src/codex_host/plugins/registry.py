"""Register plugins with pluggy, after checking that each implementation fits its specification."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

import pluggy
from attrs import define, field

from codex_hookspecs.errors import HookSpecError
from codex_hookspecs.markers import PROJECT, HookPolicy, policy_of
from codex_hookspecs.specs import AREAS
from codex_host.plugins.order import Contender, in_order, mark_of
from codex_host.plugins.signatures import check_implementation, implementations, options_of, place_of, unknown_hook

if TYPE_CHECKING:
    from codex_host.plugins.manifest import Manifest

State = Literal["loaded", "disabled", "untrusted", "incompatible", "failed"]


@define(kw_only=True, eq=False, repr=False)
class PluginStatus:
    """What became of one plugin.

    :param distribution: distribution that brings it.
    :param detail: why it is not loaded, with the last lines of a traceback, or the empty string.
    :param expected: not being loaded is as it should be, e.g. on another platform.
    :param slips: mistakes of its author, and hooks not called yet, that do not keep it from running.
    :param remedy: command that changes it, or the empty string.
    :param hooks: hooks that it implements; those that its manifest lists, as long as it is not loaded.
    :param before: plugins that it comes before where they share a hook, by its manifest.
    :param after: plugins that it comes after.
    :param trusted: it may run, as it is the host's own, or it was trusted, if only as its files were before; known of
        those that are not loaded, too.
    :param quarantined: why some of its hooks are not called any more, by hook.
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
    expected: bool = False
    trusted: bool = False
    quarantined: dict[str, str] = field(factory=dict)
    slips: list[str] = field(factory=list)
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def is_missed(self) -> bool:
        """Whether it was meant to run and does not."""
        return self.trusted and not self.expected and self.state in ("failed", "incompatible", "untrusted")

    @property
    def objection(self) -> str:
        """Why ``--strict-plugins`` refuses it, or the empty string."""
        if self.expected:
            return ""
        if self.state in ("failed", "incompatible"):
            return f"plugin {self.name} is {self.state}: {self.detail}"
        return self.quarantine

    @property
    def quarantine(self) -> str:
        """What the user is told of hooks that are not called any more, or the empty string."""
        if not self.quarantined:
            return ""
        reasons = "; ".join(self.quarantined.values())
        return f"plugin {self.name} is quarantined: {reasons} (run: codex plugins enable {self.name})"

    @property
    def warning(self) -> str:
        """What the user is told of a plugin that is not loaded."""
        remedy = f" (run: {self.remedy})" if self.remedy else ""
        return f"plugin {self.name} is {self.state}: {self.detail}{remedy}"


class _Manager(pluggy.PluginManager):
    """Looks for the marks alone: pluggy's own way looks up every name of a module in three places."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> Any:
        """Return the options of an implementation, ``None`` for anything else."""
        return options_of(getattr(plugin, name, None))

    def parse_hookspec_opts(self, module_or_class: object, name: str) -> Any:
        """Return the options of a specification, ``None`` for anything else."""
        return getattr(getattr(module_or_class, name, None), f"{PROJECT}_spec", None)


class Registry:
    """The specifications, the registered plugins and the status of every plugin that was found.

    :ivar preferred: plugins that the user wants first, by hook.
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
        """Check and register a plugin.

        :param plugin: module or object that carries implementations.
        :return: names of the hooks it implements.
        :raises HookSpecError: when an implementation does not fit; nothing stays registered.
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

    def slips(self, plugin: object, manifest: Manifest) -> list[str]:
        """Return what a plugin says of itself that it does not do, and the other way round."""
        from codex_host.plugins.declared import slips

        return slips(plugin, manifest, self.policies)

    def in_vain(self, hooks: Iterable[str]) -> list[str]:
        """Return what the user is told of a plugin's hooks that are not called yet."""
        return [
            f"it implements the hook {hook}, which this version of the host does not call yet"
            for hook in sorted(hooks)
            if self.policies[hook].not_called_yet
        ]

    def load_for(self, hook: str | None, plugin: str | None = None) -> list[PluginStatus]:
        """Load the plugins that were put off until one of their hooks is wanted.

        :param hook: the hook, or ``None`` for any.
        :param plugin: load no other than this one.
        :return: what became of them.
        """
        wanted = [
            name for name, (hooks, _) in self.deferred.items() if hook in (None, *hooks) and plugin in (None, name)
        ]
        for name in wanted:
            self.deferred.pop(name)[1]()
        return [self.statuses[name] for name in wanted]

    def implementations(self, hook: str) -> list[Any]:
        """Return pluggy's descriptions of the implementations of a hook, in the order in which they are called."""
        impls = getattr(self.manager.hook, hook).get_hookimpls()
        ordered = self.in_order(hook, {impl.plugin_name for impl in impls})
        return sorted(impls, key=lambda impl: ordered.index(impl.plugin_name))

    def sharing(self, hook: str) -> list[str]:
        """Return the plugins that implement a hook, in order, those that are not imported yet among them."""
        names = {impl.plugin_name for impl in getattr(self.manager.hook, hook).get_hookimpls()}
        names.update(name for name, (hooks, _) in self.deferred.items() if hook in hooks)
        return self.in_order(hook, names)

    def in_order(self, hook: str, names: Iterable[str]) -> list[str]:
        """Return plugins in the order in which a hook of them counts; those that are not imported have no mark."""
        impls = getattr(self.manager.hook, hook).get_hookimpls()
        marks = {impl.plugin_name: mark_of(impl.opts) for impl in impls}
        plugins = (contender(self.status(name), marks.get(name, "")) for name in names)
        ordered = in_order(self.policies[hook].kind, plugins, self.preferred.get(hook, ()))
        return [plugin.name for plugin in ordered]

    def status(self, name: str) -> PluginStatus:
        """Return the status of a plugin, made on first use."""
        found = self.statuses.get(name)
        if found is None:
            found = self.statuses[name] = PluginStatus(name=name)
        return found


def contender(status: PluginStatus, mark: str = "") -> Contender:
    """Return a plugin as one of those that share a hook.

    :param mark: ``tryfirst`` or ``trylast``, as its implementation is marked.
    """
    return Contender(status.name, status.first_party, mark, status.before, status.after)
