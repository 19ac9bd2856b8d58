"""Start, resume, list and unload threads."""

from __future__ import annotations

import os
from collections.abc import Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from codex_hookspecs.errors import CodexError, ConfigError, StorageError, ThreadNotFound
from codex_hookspecs.ids import uuid7
from codex_hookspecs.types.requests import ThreadStartParams
from codex_hookspecs.types.storage import StoredThread, ThreadMeta, ThreadPage, ThreadQuery
from codex_hookspecs.types.threads import Thread, ThreadSettings
from codex_host import __version__
from codex_host.config.layers import may_only_restrict
from codex_host.environments import LOCAL
from codex_host.session.settings import resolve_settings, resumed_settings
from codex_host.session.thread import HostThread
from codex_host.shutdown import close_all

if TYPE_CHECKING:
    from codex_execpolicy.rules.matching import RuleBook
    from codex_hookspecs.ports.host import Host
    from codex_hookspecs.ports.models import ModelProvider
    from codex_hookspecs.ports.storage import ThreadStore, ThreadWriter
    from codex_hookspecs.protocol import Model
    from codex_hookspecs.types.json import JsonObject
    from codex_hookspecs.types.requests import ThreadResumeParams
    from codex_host.config.effective import EffectiveConfig, LiveConfig
    from codex_host.plugins.dispatch import Dispatcher
    from codex_host.plugins.hooks import Hooks

T = TypeVar("T")


class HostThreads:
    """All threads of the program.

    :param host: the running program as plugins see it.
    :param config: its configuration.
    :param hooks: hooks that plugins implement.
    :param dispatch: records failures and warnings of plugins.
    """

    def __init__(self, host: Host, *, config: LiveConfig, hooks: Hooks, dispatch: Dispatcher) -> None:
        self._host = host
        self._config = config
        self.hooks = hooks
        self._dispatch = dispatch
        self._threads: dict[str, HostThread] = {}
        self._store: ThreadStore | None = None
        self._store_owner = ""
        self._asked_for_store = False

    async def start(
        self,
        params: ThreadStartParams | None = None,
        *,
        source: str | JsonObject = "cli",
        originator: str = "codex_cli",
        client_version: str = "",
    ) -> HostThread:
        """Start a thread; see :class:`~codex_hookspecs.ports.threads.ThreadManager`."""
        params = params or ThreadStartParams()
        settings, config = self._settings(params.cwd, params)
        settings = attrs.evolve(
            settings,
            environment=self._environment_name(config),
            ephemeral=bool(params.ephemeral),
            source=source,
            originator=originator,
            client_version=client_version,
        )
        rules = _rules(config)
        thread_id = uuid7()
        store = self._find_store()
        writer: ThreadWriter | None = None
        settings, model = self._provider(settings, config.table)
        if store is not None and not settings.ephemeral:
            meta = ThreadMeta(
                thread_id=thread_id,
                settings=settings,
                created_at_ms=int(thread_id[:8] + thread_id[9:13], 16),
                cli_version=__version__,
                base_instructions=settings.base_instructions or "",
            )
            writer = await self._answer(store.create(meta))
        return self._load(thread_id, settings, config, model, writer=writer, stored=None, rules=rules)

    async def resume(
        self,
        params: ThreadResumeParams,
        *,
        originator: str = "codex_cli",
        client_version: str = "",
    ) -> HostThread:
        """Load a stored thread; see :class:`~codex_hookspecs.ports.threads.ThreadManager`."""
        thread_id = params.thread_id
        loaded = self._threads.get(thread_id)
        if loaded is not None:
            return loaded
        stored, writer = await self._answer(self._need_store(thread_id).open(thread_id, cli_version=__version__))
        try:
            params = self._on_stored_environment(stored, params)
            settings, config = self._settings(params.cwd or self._still(stored, params), params)
            settings = resumed_settings(settings, stored.settings, params, self._config.flags)
            machine = self._environment_name(config) or (LOCAL if stored.settings.get("environment") else None)
            settings = attrs.evolve(
                settings,
                environment=machine,
                source=stored.thread.source,
                originator=originator,
                client_version=client_version,
            )
            settings, model = self._provider(settings, config.table)
            rules = _rules(config)
            return self._load(thread_id, settings, config, model, writer=writer, stored=stored, rules=rules)
        except BaseException:
            await writer.aclose()
            raise

    async def models(self) -> Sequence[Model]:
        """Return the models for new threads; see :class:`~codex_hookspecs.ports.threads.ThreadManager`."""
        from codex_host.session.models import with_default

        table = self._config.for_directory(None).table
        settings = resolve_settings(table, ThreadStartParams(), cwd=self._host.cwd)
        settings, (provider, _plugin) = self._provider(settings, table)
        try:
            default = settings.model
            # A provider that is no subclass of the contract may have none.
            catalogue: Sequence[Model] = getattr(provider, "models", tuple)()
            return with_default(catalogue, default, provider.info(default), settings.reasoning_effort)
        finally:
            await provider.aclose()

    def get(self, thread_id: str) -> HostThread | None:
        """Return a loaded thread."""
        return self._threads.get(thread_id)

    def loaded(self) -> Sequence[HostThread]:
        """Return the loaded threads, oldest first."""
        return tuple(self._threads.values())

    async def unload(self, thread_id: str) -> None:
        """Interrupt, close and unload a thread; unknown ids are ignored."""
        thread = self._threads.pop(thread_id, None)
        if thread is not None:
            await thread.aclose()

    async def read(self, thread_id: str, *, include_turns: bool) -> Thread:
        """Return a thread, loaded or stored."""
        loaded = self._threads.get(thread_id)
        if loaded is not None:
            summary = loaded.summary()
            return attrs.evolve(summary, turns=tuple(loaded.turns())) if include_turns else summary
        return await self._answer(self._need_store(thread_id).show(thread_id, turns=include_turns))

    async def list(self, query: ThreadQuery) -> ThreadPage:
        """Return one page of stored threads, with the status of those that are loaded."""
        store = self._find_store()
        if store is None:
            return ThreadPage(())
        page = await self._answer(store.list(query))
        threads = tuple(
            attrs.evolve(thread, status=self._threads[thread.id].summary().status)
            if thread.id in self._threads
            else thread
            for thread in page.threads
        )
        return attrs.evolve(page, threads=threads)

    async def find(self, name_or_id: str, *, cwd: str | None = None) -> str | None:
        """Return the id of the newest stored thread with this id or name, or ``None``."""
        store = self._find_store()
        return await self._answer(store.find(name_or_id, cwd=cwd)) if store else None

    async def archive(self, thread_id: str) -> None:
        """Unload and archive a thread."""
        store = self._need_store(thread_id)
        if await self._answer(store.find(thread_id)) is None:
            raise ThreadNotFound(f"no rollout found for thread id {thread_id}", thread_id=thread_id)
        await self.unload(thread_id)
        await self._answer(store.archive(thread_id))

    async def unarchive(self, thread_id: str) -> Thread:
        """Unarchive a thread."""
        return await self._answer(self._need_store(thread_id).unarchive(thread_id))

    async def set_name(self, thread_id: str, name: str) -> None:
        """Set the name of a thread, loaded or stored."""
        await self._answer(self._need_store(thread_id).set_name(thread_id, name))
        loaded = self._threads.get(thread_id)
        if loaded is not None:
            loaded.rename(name)

    async def aclose(self) -> None:
        """Unload all threads and close the store."""
        for thread_id in tuple(self._threads):
            await self.unload(thread_id)
        if self._store is not None:
            await close_all(self._host, "threads", [self._store.aclose])

    def _settings(
        self, cwd: str | None, params: ThreadStartParams | ThreadResumeParams
    ) -> tuple[ThreadSettings, EffectiveConfig]:
        directory = os.path.abspath(os.path.join(self._host.cwd, cwd or ""))
        config = self._config.for_directory(directory, params.config or None)
        if not self._directory_exists(directory, config.table):
            raise ConfigError(f"working directory {directory} does not exist or is not a directory")
        return resolve_settings(config.table, params, cwd=directory), config

    def _environment_name(self, config: EffectiveConfig) -> str | None:
        """Return the environment of threads with a configuration, ``None`` for the local one."""
        wanted: str | None = config.get("environment")
        if wanted is None:
            wanted = self._host.environments.name_of()
        return None if wanted == LOCAL else wanted

    def _on_stored_environment(self, stored: StoredThread, params: ThreadResumeParams) -> ThreadResumeParams:
        """Return resume parameters with the stored environment of the thread, unless they or a flag name another.

        :raises ConfigError: when that environment is not configured any more; there is no fallback.
        """
        overrides = params.config or {}
        name = stored.settings.get("environment")
        if not name or "environment" in overrides or "environment" in self._config.flags:
            return params
        try:
            self._host.environments.name_of(name)
        except ConfigError as error:
            raise ConfigError(
                f"the thread works on a remote environment, and {error}; configure it as before "
                f"(environments.{name}.url, or CODEX_EXEC_SERVER_URL for `remote`), "
                "or name another with -c environment=NAME"
            ) from error
        return attrs.evolve(params, config={**overrides, "environment": name})

    def _still(self, stored: StoredThread, params: ThreadResumeParams) -> str | None:
        cwd = stored.thread.cwd
        table = self._config.for_directory(cwd, params.config or None).table
        return cwd if self._directory_exists(cwd, table) else None

    def _directory_exists(self, directory: str, table: Mapping[str, Any]) -> bool:
        """Return whether a directory exists; those of remote environments are checked only when they are used."""
        return os.path.isdir(directory) or self._host.environments.is_remote(table.get("environment"))

    def _provider(
        self, settings: ThreadSettings, table: Mapping[str, Any]
    ) -> tuple[ThreadSettings, tuple[ModelProvider, str]]:
        """Return the settings with a model, its provider, and the provider's plugin.

        :raises ConfigError: when there is no such provider, or no model is set and there is no default.
        """
        name = settings.model_provider
        providers = table.get("model_providers", {})
        chosen, plugin = self.hooks.model_provider(name, dict(providers.get(name, {})))
        if chosen is None:
            absent = "".join(f"; {text}" for text in self._dispatch.unavailable("model_provider"))
            if name in providers:
                raise ConfigError(
                    f"model provider `{name}` can't be used: no plugin serves its table [model_providers.{name}], "
                    f"which has {', '.join(sorted(providers[name])) or 'no keys'}; a server of the Responses API needs "
                    f"base_url, another kind of provider needs its plugin{absent}"
                )
            known = ", ".join(sorted(providers)) or "none"
            raise ConfigError(
                f"Model provider `{name}` not found; configured under [model_providers] are: {known}{absent}"
            )
        if not settings.model:
            default = chosen.default_model
            if default is None:
                raise ConfigError(f"no model is named, and the model provider `{name}` has no default; set `model`")
            settings = attrs.evolve(settings, model=default)
        return settings, (chosen, plugin)

    def _load(
        self,
        thread_id: str,
        settings: ThreadSettings,
        config: EffectiveConfig,
        model: tuple[ModelProvider, str],
        *,
        writer: ThreadWriter | None,
        stored: StoredThread | None,
        rules: RuleBook | None,
    ) -> HostThread:
        thread = HostThread(
            thread_id=thread_id,
            settings=settings,
            config=config,
            host=self._host,
            hooks=self.hooks,
            failures=self._dispatch.failures,
            model=model[0],
            model_owner=model[1],
            writer=writer,
            stored=stored,
            rules=rules,
        )
        offered = self.hooks.tools(thread)
        thread.tools.update(offered)
        thread.tool_owners.update(offered.owners)
        self._threads[thread_id] = thread
        return thread

    def _find_store(self) -> ThreadStore | None:
        if not self._asked_for_store:
            self._store, self._store_owner = self.hooks.thread_store()
            self._asked_for_store = True
            if self._store is None:
                self._dispatch.warn("no plugin stores threads: nothing is kept of this session")
        return self._store

    def _need_store(self, thread_id: str) -> ThreadStore:
        store = self._find_store()
        if store is None:
            raise ThreadNotFound(f"no rollout found for thread id {thread_id}", thread_id=thread_id)
        return store

    async def _answer(self, call: Coroutine[Any, Any, T]) -> T:
        """Await a call of the store.

        :raises StorageError: naming the store's plugin, when it fails with an error that is none of the contracts'.
        """
        try:
            return await call
        except CodexError:
            raise
        except Exception as error:
            message = self._dispatch.failures.report("the thread store", self._store_owner, error)
            raise StorageError(message) from error


def _rules(config: EffectiveConfig) -> RuleBook | None:
    """Return the execpolicy rules for a directory; ``None`` if there are no rules files.

    :raises ConfigError: when a file is invalid.
    """
    ignored = ("user", "project") if config.get("ignore_rules") is True else ()
    layers = [
        layer for layer in config.layers if layer.folder and layer.disabled_reason is None and layer.kind not in ignored
    ]
    if not any(os.path.lexists(f"{layer.folder}/rules") for layer in layers):
        return None
    from codex_execpolicy.rules.files import RuleFolder, load_rules

    try:
        return load_rules(
            RuleFolder(f"{layer.folder}", tightens=may_only_restrict(layer), links_tighten=layer.kind == "project")
            for layer in layers
        )
    except ConfigError as error:
        raise ConfigError(f"rules for commands can't be loaded, so none is run: {error}") from error
