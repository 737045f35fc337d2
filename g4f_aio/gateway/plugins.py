"""Entry points into provider classes and instances; what is wrong with one is said, never raised."""

from __future__ import annotations

import difflib
import functools
import logging
from importlib.metadata import EntryPoint, entry_points
from typing import Any, cast

import attrs

from ..core.models import Capability, ModelInfo
from ..core.provider import Provider
from ..dialects.structure import describe, strict_converter
from ..settings import ProviderSettings

GROUP = "g4f.providers"
#: made when the first table is read, and kept: it writes code for each class it meets
_converter = functools.cache(strict_converter)
DISTRIBUTION = "g4f_aio"
#: what a provider may say that it cannot take
IGNORABLE = frozenset(("stop", "max_tokens", "system"))
_log = logging.getLogger(__name__)


@attrs.frozen
class Plugin:
    """An entry point and the distribution it comes from."""

    name: str
    entry_point: EntryPoint
    distribution: str
    version: str

    @property
    def built_in(self) -> bool:
        """Whether it comes with this program."""
        return self.distribution.replace("-", "_") == DISTRIBUTION


def find_plugins(group: str = GROUP) -> dict[str, Plugin]:
    """All installed providers by entry-point name; nothing is imported.

    Where two distributions claim a name, ours keeps it, or else the first; the other is logged.
    """
    found: dict[str, Plugin] = {}
    # each look at a name or version reads the whole description of the distribution again
    origins: dict[int, tuple[str, str]] = {}
    for point in entry_points(group=group):
        origin = point.dist
        if origin is not None and id(origin) not in origins:
            about = origin.metadata
            origins[id(origin)] = (about["Name"], about["Version"])
        plugin = Plugin(point.name, point, *origins.get(id(origin), ("?", "?")))
        known = found.get(point.name)
        if known is None or (plugin.built_in and not known.built_in):
            found[point.name] = plugin
        if known is not None and known.entry_point.value != point.value:
            _log.warning(
                "two distributions offer a provider %r: %s, %s",
                point.name,
                known.distribution,
                plugin.distribution,
            )
    return found


def load_class(plugin: Plugin) -> type[Provider] | str:
    """The provider class an entry point names, or what is wrong with it."""
    try:
        cls = plugin.entry_point.load()
    except Exception as error:  # noqa: BLE001  (a plug-in may fail in any way; it must harm nobody)
        return f"{plugin.entry_point.value} cannot be imported: {type(error).__name__}: {error}"
    except SystemExit as error:
        return f"{plugin.entry_point.value} calls exit({error.code}) when it is imported"
    if not (isinstance(cls, type) and issubclass(cls, Provider)):
        return f"{plugin.entry_point.value} is no subclass of g4f_aio.Provider"
    if not attrs.has(cls) or "__attrs_attrs__" not in vars(cls):
        return f"{plugin.entry_point.value} is not decorated with attrs.frozen(kw_only=True)"
    if not isinstance(getattr(cls, "name", None), str):
        return f"{plugin.entry_point.value} has no name"
    return cast(type[Provider], cls)


def fault_of(provider: Provider) -> str | None:
    """What is wrong with what a provider says of itself; None when nothing."""
    try:
        said = (provider.missing(), provider.models(), provider.capabilities)
    except Exception as error:  # noqa: BLE001  (as above)
        return f"what it says of itself fails: {type(error).__name__}: {error}"
    missing, models, capabilities = cast(tuple[object, object, object], said)
    if not (missing is None or isinstance(missing, str)):
        return "missing() returns neither None nor a string"
    if not are_models(models):
        return "models() returns no tuple of ModelInfo"
    if not isinstance(capabilities, Capability):
        return "its capabilities are no Capability"
    if not isinstance(provider.ignores, frozenset) or not provider.ignores <= IGNORABLE:
        return f"its ignores are no frozenset of {', '.join(sorted(IGNORABLE))}"
    return None


def are_models(value: object) -> bool:
    """Whether a plug-in's list of models is one."""
    return isinstance(value, tuple) and all(isinstance(model, ModelInfo) for model in value)


def instantiate(cls: type[Provider], options: dict[str, Any], where: str) -> Provider | list[str]:
    """A provider of its table, or the problems of the table."""
    names = [field.name for field in attrs.fields(cls) if field.init]
    problems = []
    for key in options:
        if key not in names:
            known = [*names, *(field.name for field in attrs.fields(ProviderSettings))]
            near = difflib.get_close_matches(key, [n for n in known if n != "options"], 1)
            hint = f"; did you mean {where}.{near[0]}?" if near else ""
            problems.append(f"{where}.{key}: unknown setting{hint}")
    if problems:
        return problems
    try:
        return _converter().structure(options, cls)
    except Exception as error:  # noqa: BLE001  (described in full, never swallowed)
        return [f"{where}{path.removeprefix('$')}: {what}" for path, what in describe(error)]
