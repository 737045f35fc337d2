"""All settings, from the command line, the environment and a file: one immutable tree."""

from .load import environment, load
from .options import Option, options, restart_needed, settings_table
from .setting import SettingsError
from .tables import KeySettings, ModelTarget, ProviderSettings
from .tree import (
    CacheSettings,
    RoutingSettings,
    ServerSettings,
    Settings,
    UpstreamSettings,
    is_loopback,
)

__all__ = [
    "CacheSettings",
    "KeySettings",
    "ModelTarget",
    "Option",
    "ProviderSettings",
    "RoutingSettings",
    "ServerSettings",
    "Settings",
    "SettingsError",
    "UpstreamSettings",
    "environment",
    "is_loopback",
    "load",
    "options",
    "restart_needed",
    "settings_table",
]
