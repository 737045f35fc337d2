"""Entry points and settings into provider instances; broken ones are listed, never fatal."""

from __future__ import annotations

import asyncio
import difflib
import logging
import threading
from collections.abc import Iterable, Mapping

import attrs

from ..core.models import Capability, ModelInfo
from ..core.provider import Provider
from ..settings import ProviderSettings, Settings, SettingsError
from .plugins import DISTRIBUTION, Plugin, fault_of, instantiate, load_class

_log = logging.getLogger(__name__)


@attrs.frozen
class Entry:
    """A provider under the name it has on the wire.

    *provider* is None when it could not be loaded; *error* says why. *chosen*: the settings have a
    table for it, a key for it is in the environment, or it was found running on this machine.
    """

    name: str
    plugin: str
    distribution: str
    version: str
    settings: ProviderSettings
    provider: Provider | None = None
    error: str | None = None
    chosen: bool = False
    #: whether it comes with this program
    built_in: bool = attrs.field(init=False, eq=False, repr=False)

    @built_in.default
    def _built_in(self) -> bool:
        return self.distribution.replace("-", "_") == DISTRIBUTION

    @property
    def missing(self) -> str | None:
        """What it lacks before it can work; None when nothing."""
        return self.lacks(own_key=False)

    def lacks(self, *, own_key: bool) -> str | None:
        """As ``missing``, for a caller who may bring an *own_key*."""
        if self.provider is None:
            return None
        if self.provider.key == "required" and self.credentials == (None,) and not own_key:
            return (
                f"an API key: set {key_variable(self.name)}, or api_key in [providers.{self.name}]"
            )
        if self.provider.opt_in and not self.chosen:
            return f"your consent: add [providers.{self.name}] to the settings"
        return self.provider.missing()

    @property
    def takes_key(self) -> bool:
        """Whether it is ever sent a key."""
        return self.provider is not None and self.provider.key != "none"

    @property
    def credentials(self) -> tuple[str | None, ...]:
        """The keys this server holds for it; None alone when it has or takes none."""
        if not self.takes_key:
            return (None,)
        single = (self.settings.api_key,) if self.settings.api_key is not None else ()
        keys = dict.fromkeys((*single, *self.settings.api_keys))
        return tuple(keys) or (None,)

    @property
    def usable(self) -> bool:
        """Loaded, enabled and complete."""
        return self.provider is not None and self.settings.enabled and self.missing is None

    @property
    def local(self) -> bool:
        """Whether it stays on this machine or network as a rule."""
        return self.provider is not None and self.provider.local

    @property
    def capabilities(self) -> Capability:
        """What it can do as a rule; nothing when it is broken."""
        return self.provider.capabilities if self.provider is not None else Capability.NONE

    def static_models(self) -> tuple[ModelInfo, ...]:
        """The models known without asking it: of the settings, else of its class."""
        if self.settings.models:
            return tuple(ModelInfo(model) for model in self.settings.models)
        return self.provider.models() if self.provider is not None else ()


def same(name: str, other: str) -> bool:
    """Whether two names mean one provider: capital letters do not count."""
    return name.lower() == other.lower()


def closest(name: str, names: Iterable[str]) -> str | None:
    """The one of *names* that *name* may be a slip for; None when none comes near."""
    known = {one.lower(): one for one in names}
    near = difflib.get_close_matches(name.lower(), known, 1)
    return known[near[0]] if near else None


def key_variable(name: str) -> str:
    """The environment variable that holds a provider's key."""
    return "".join(c if c.isalnum() else "_" for c in name).upper() + "_API_KEY"


class Registry:
    """The providers of one state of the settings.

    Classes are imported when somebody asks for them: at once where the settings name them, the
    others with ``get`` or ``load_all``. Safe to use from a thread.
    """

    def __init__(self, settings: Settings, plugins: Mapping[str, Plugin]) -> None:
        self._settings = settings
        self._plugins = {
            name: plugin
            for name, plugin in plugins.items()
            if name not in settings.disabled_plugins
        }
        self._entries: dict[str, Entry] = {}
        #: counts what was added or loaded, for those who remember what they found here
        self.changes = 0
        self._lock = threading.Lock()
        problems: list[str] = []
        for name, table in settings.providers.items():
            self._configure(name, table, problems)
        if problems:
            raise SettingsError(tuple(problems))
        for name in self._plugins:
            if name not in self._entries and key_variable(name) in settings.environment_keys:
                self._load(name)
        self._canonical = {name.lower(): name for name in (*self._plugins, *self._entries)}

    @classmethod
    def of(cls, *entries: Entry, settings: Settings | None = None) -> Registry:
        """A registry of given entries, for tests and embedding programs."""
        registry = cls(settings or Settings(), {})
        for entry in entries:
            registry.add(entry)
        return registry

    def unknown_names(self) -> tuple[str, ...]:
        """What the settings say of providers that nobody has, a line each."""
        routing = self._settings.routing
        named = [("routing.provider", routing.provider)] if routing.provider else []
        named += [
            (f"models.{alias}.providers", target.provider)
            for alias, chain in self._settings.models.items()
            for target in chain
        ]
        return tuple(
            f"{key}: no provider {name!r}{self._near(name)}"
            for key, name in named
            if self.resolve(name) is None
        )

    def _near(self, name: str) -> str:
        near = closest(name, self.names())
        return f"; did you mean {near!r}?" if near else ""

    def add(self, entry: Entry) -> None:
        """Take in an entry, or put it in the place of the one with its name."""
        with self._lock:
            self._entries[entry.name] = entry
            self.changes += 1
            self._canonical[entry.name.lower()] = entry.name

    def get(self, name: str) -> Entry | None:
        """The provider of that name, in any case of letters; None when there is none.

        It may import the plug-in, which may take its time; ``find`` does not block.
        """
        known = self.resolve(name)
        if known is None:
            return None
        return self._entries.get(known) or self._load(known)

    async def find(self, name: str) -> Entry | None:
        """As ``get``, with the import in a thread."""
        known = self.resolve(name)
        if known is None:
            return None
        return self._entries.get(known) or await asyncio.to_thread(self._load, known)

    def resolve(self, name: str) -> str | None:
        """*name* as it is really written, in any case of letters; None when nobody has it."""
        return self._canonical.get(name.lower())

    @property
    def chosen(self) -> tuple[Entry, ...]:
        """The usable ones that the operator configured, in the order of the settings."""
        return tuple(e for e in tuple(self._entries.values()) if e.chosen and e.usable)

    @property
    def loaded(self) -> dict[str, Provider]:
        """Every provider that is loaded; nothing is imported."""
        found = tuple(self._entries.values())
        return {entry.name: entry.provider for entry in found if entry.provider is not None}

    @property
    def credentials(self) -> dict[str, tuple[str | None, ...]]:
        """The keys that the settings have for providers, by their names."""
        return {entry.name: entry.credentials for entry in tuple(self._entries.values())}

    def names(self) -> tuple[str, ...]:
        """All names it answers to."""
        return tuple(self._canonical.values())

    def load_all(self) -> tuple[Entry, ...]:
        """Every provider, loaded or broken; imports, so call it in a thread."""
        for name in tuple(self._plugins):
            if name not in self._entries:
                self._load(name)
        order = {name: at for at, name in enumerate((*self._settings.providers, *self._plugins))}
        found = tuple(self._entries.values())
        return tuple(sorted(found, key=lambda entry: order.get(entry.name, len(order))))

    def _configure(self, name: str, table: ProviderSettings, problems: list[str]) -> None:
        where = f"providers.{name}"
        plugin = self._plugins.get(table.type)
        if plugin is None:
            near = closest(table.type, self._plugins)
            hint = f"; did you mean {near!r}?" if near else ""
            if table.type in self._settings.disabled_plugins:
                hint = "; it is in plugins.disabled"
            key = "type" if table.type != name else "(the table's name; set type)"
            problems.append(f"{where}.{key}: no provider type {table.type!r}{hint}")
            return
        variable = key_variable(name)
        if (
            table.api_key is None
            and not table.api_keys
            and variable in self._settings.environment_keys
        ):
            table = attrs.evolve(table, api_key=self._settings.environment_keys[variable])
        cls = load_class(plugin)
        if isinstance(cls, str):
            self._entries[name] = _entry(name, plugin, table, error=cls)
            _log.error("provider %s is broken: %s", name, cls)
            return
        found = instantiate(cls, table.options, where)
        if isinstance(found, list):
            problems.extend(found)
            return
        fault = fault_of(found)
        if fault is not None:
            _log.error("provider %s is broken: %s", name, fault)
        provider = found if fault is None else None
        self._entries[name] = _entry(name, plugin, table, provider=provider, error=fault)

    def _load(self, name: str) -> Entry:
        """A provider that the settings do not mention."""
        plugin = self._plugins[name]
        key = self._settings.environment_keys.get(key_variable(name))
        table = ProviderSettings(type=name, api_key=key)
        cls = load_class(plugin)
        error = cls if isinstance(cls, str) else None
        provider = None
        if not isinstance(cls, str):
            found = instantiate(cls, {}, f"providers.{name}")
            if isinstance(found, list):
                error = "; ".join(found)
            else:
                error = fault_of(found)
                provider = found if error is None else None
        if error is not None:
            _log.error("provider %s is broken: %s", name, error)
        entry = _entry(name, plugin, table, provider=provider, error=error)
        entry = attrs.evolve(entry, chosen=key is not None)
        with self._lock:
            self.changes += 1
            return self._entries.setdefault(name, entry)


def _entry(
    name: str,
    plugin: Plugin,
    table: ProviderSettings,
    *,
    provider: Provider | None = None,
    error: str | None = None,
) -> Entry:
    return Entry(
        name, plugin.name, plugin.distribution, plugin.version, table, provider, error, chosen=True
    )
