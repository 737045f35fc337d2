"""All settings, from the command line, the environment and a file: one immutable tree."""

from .fetch import FetchSettings
from .load import environment, load
from .options import Option, options, restart_needed, settings_table
from .search import SearchSettings
from .setting import SettingsError
from .storage import StorageSettings
from .tables import KeySettings, ModelTarget, ProviderSettings
from .tree import (
    CacheSettings,
    RoutingSettings,
    ServerSettings,
    Settings,
    UpstreamSettings,
    address_of,
    is_loopback,
)

__all__ = [
    "CacheSettings",
    "FetchSettings",
    "KeySettings",
    "ModelTarget",
    "Option",
    "ProviderSettings",
    "RoutingSettings",
    "SearchSettings",
    "ServerSettings",
    "Settings",
    "SettingsError",
    "StorageSettings",
    "UpstreamSettings",
    "address_of",
    "environment",
    "is_loopback",
    "load",
    "options",
    "restart_needed",
    "settings_table",
]
