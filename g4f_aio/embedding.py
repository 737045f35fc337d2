"""The server inside another program: configure it, then run it."""

from __future__ import annotations

import difflib
from functools import partial
from typing import Any

from .serve import run
from .settings import Settings, SettingsError, environment, load, options


class AppConfig:
    """What ``run_api`` starts with; values here are as strong as flags on the command line."""

    _values: dict[str, object] = {}  # noqa: RUF012  (one process runs one server)

    @classmethod
    def set_config(cls, **values: Any) -> None:
        """Set some of the settings by the last word of their key, or by their flag's name.

        TypeError for a name that means nothing, with the closest one that does::

            AppConfig.set_config(g4f_api_key="secret", provider="work", timeout=300)
        """
        cls._values = {**cls._values, **_by_key(values)}

    @classmethod
    def settings(cls, **values: object) -> Settings:
        """The settings in force: these values, then the environment, the file, the defaults."""
        return load({**cls._values, **_by_key(values)}, environment())


def run_api(**values: Any) -> None:
    """Run the server until it is stopped; *values* as in ``AppConfig.set_config``::

        run_api(host="127.0.0.1", port=8080, debug=True)

    SettingsError when they cannot be used; SystemExit when the server cannot listen.
    """
    status = run(AppConfig.settings(**values), partial(AppConfig.settings, **values))
    if status:
        raise SystemExit(status)


def _by_key(values: dict[str, Any]) -> dict[str, object]:
    """Values by their full key, as ``load`` takes them."""
    keys: dict[str, str] = {"config": "config", "data_dir": "data_dir"}
    for option in options():
        keys[option.name] = option.path
        keys[option.flag.removeprefix("--").replace("-", "_")] = option.path
    found: dict[str, object] = {}
    for name, value in values.items():
        if name not in keys:
            near = difflib.get_close_matches(name, keys, 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise TypeError(f"no setting {name!r}{hint}")
        found[keys[name]] = tuple(value) if isinstance(value, list) else value
    return found


__all__ = ["AppConfig", "SettingsError", "run_api"]
