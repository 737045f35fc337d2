"""What to do about a provider that does not work: what the state and the error alone do not say."""

from __future__ import annotations

import inspect
import linecache
import re
import traceback
from importlib.metadata import EntryPoint
from pathlib import Path

import attrs

from .. import __version__
from ..core.errors import (
    GatewayError,
    RateLimitError,
    UpstreamAuthError,
    UpstreamError,
    UpstreamTimeoutError,
)
from ..core.provider import Provider
from ..gateway.plugins import Plugin
from ..gateway.registry import Entry, key_variable
from ..settings import Settings

#: what a setting that is an address is called, or ends in
_ADDRESS = re.compile(r"(.*_)?(url|endpoint|base)")
_CHECK = "g4f_aio.testing.check_provider tells its author everything that is wrong with it"


def about_state(entry: Entry, plugin: Plugin | None) -> str | None:
    """What to do about a provider that cannot be called; None when its state says it."""
    if entry.error is not None:
        return None if plugin is None else _about_plugin(entry, plugin)
    missing = entry.missing
    if missing is None or "[providers." in missing:
        return None
    return f"set it in [providers.{entry.name}] of the settings"


def about_error(entry: Entry, error: GatewayError, settings: Settings) -> str | None:
    """What to do about a call that failed; None when the error says it."""
    table = f"[providers.{entry.name}]"
    match error:
        case UpstreamAuthError():
            return _about_key(entry, settings)
        case RateLimitError(retry_after=float(seconds)):
            return f"try again in {seconds:.0f} s, or use another key"
        case RateLimitError():
            return "try again later, or use another key"
        case UpstreamTimeoutError():
            return (
                f"is it busy, or its address wrong? the time limits are in [upstream] and {table}"
            )
        case UpstreamError(unreachable=True):
            address = _address_of(entry.provider)
            where = f" ({address} in {table})" if address else ""
            return f"is it running{where}, and can it be reached from here?"
        case _ if _is_raw(error.__cause__, error):
            place = place_of(error.__cause__)
            return f"raised at {place}; {_CHECK}" if place else _CHECK
        case _ if not _may_stream(entry.provider):
            return f"its chat must be an `async def` with `yield`; {_CHECK}"
        case _:
            return None


def _is_raw(cause: BaseException | None, error: GatewayError) -> bool:
    """Whether an error stands for an exception that a provider should not raise."""
    return cause is not None and error.message.endswith(f" failed with {type(cause).__name__}")


def _about_key(entry: Entry, settings: Settings) -> str:
    """Where the key comes from that an upstream did not want."""
    variable, table = key_variable(entry.name), f"[providers.{entry.name}]"
    if not entry.takes_key:
        return f"it says that it takes no key; {_CHECK}"
    match entry.credentials:
        case (None,):
            return f"it may want a key: set {variable}, or api_key in {table}"
        case (key,) if key == settings.environment_keys.get(variable):
            return f"the key is that of the variable {variable}: correct it there"
        case (_,):
            return f"the key is api_key in {table}: correct it there"
        case _:
            return f"the keys are api_keys in {table}: correct them there"


def _about_plugin(entry: Entry, plugin: Plugin) -> str | None:
    """What to do about a plug-in that is broken; it is imported again to find out."""
    point = plugin.entry_point
    try:
        cls = point.load()
    except SyntaxError:
        return None  # it names the line
    except (Exception, SystemExit) as error:  # noqa: BLE001  (a plug-in may fail in any way)
        return _about_import(plugin, error)
    if not (isinstance(cls, type) and issubclass(cls, Provider)):
        return f"let its entry point name the class in place of {point.value}, and install it again"
    if "__attrs_attrs__" not in vars(cls):
        return None  # the error says what to do
    needed = [field.name for field in attrs.fields(cls) if _is_needed(field)]
    if needed and not entry.settings.options:
        return f"set {' and '.join(needed)} in [providers.{entry.name}] of the settings"
    return _CHECK


def _is_needed(field: attrs.Attribute[object]) -> bool:
    return field.init and field.default is attrs.NOTHING


def _about_import(plugin: Plugin, error: BaseException) -> str | None:
    point, name = plugin.entry_point, plugin.distribution
    again = f"correct that in the pyproject.toml of {name}, and install it again"
    place = place_of(error)
    match error:
        case ModuleNotFoundError(name=str(module)) if module == point.module:
            return f"the package has no such module (py-modules or packages): {again}"
        case ModuleNotFoundError(name=str(module)) if _root(module) != "g4f_aio":
            return (
                f"install the package that has {_root(module)}; {name} should name it in its"
                " dependencies"
            )
        case ImportError(name=str(module)) if _root(module) == "g4f_aio":
            return (
                f"{name} {plugin.version} was made for another g4f_aio than {__version__}: update"
                " both"
            )
        case AttributeError() if place is None:
            return f"its entry point is {_shown(point)}: {again}"
        case _:
            return f"raised at {place}" if place is not None else None


def _shown(point: EntryPoint) -> str:
    return f'{point.name} = "{point.value}"'


def _root(module: str) -> str:
    return module.partition(".")[0]


def _address_of(provider: Provider | None) -> str | None:
    """The setting that is a provider's address."""
    if provider is None:
        return None
    names = (field.name for field in attrs.fields(type(provider)) if field.init)
    return next((name for name in names if _ADDRESS.fullmatch(name)), None)


def _may_stream(provider: Provider | None) -> bool:
    return provider is None or not (
        inspect.iscoroutinefunction(provider.chat) or inspect.isgeneratorfunction(provider.chat)
    )


def place_of(error: BaseException | None) -> str | None:
    """The line at which an exception was raised, as far as that is not in Python or in here."""
    frames = [
        frame
        for frame in traceback.extract_tb(None if error is None else error.__traceback__)
        if not frame.filename.startswith("<") and _is_foreign(Path(frame.filename))
    ]
    if not frames:
        return None
    last = frames[-1]
    line = linecache.getline(last.filename, last.lineno or 0).strip()
    return f"{Path(last.filename).name}:{last.lineno}, `{line}`"


_OURS = Path(__file__).parents[1]
_PYTHON = Path(inspect.__file__).parent


def _is_foreign(file: Path) -> bool:
    installed = "site-packages" in file.parts
    return _OURS not in file.parents and (installed or _PYTHON not in file.parents)
