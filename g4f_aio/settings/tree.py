"""All settings: one tree of attrs classes, immutable.

Each field says its default, its help and what values it takes. Its key in the file, its flag and
its variable follow from its name unless the metadata names others (``options``); ``load`` fills the
tree.
"""

# ruff: noqa: RUF009  (setting() makes an attrs field)

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
from typed_settings import SecretStr
from typed_settings.constants import METADATA_KEY

from . import checks

#: what is wrong with a value of the right type, or None
Check = Callable[[Any], str | None]


class SettingsError(Exception):
    """Settings that cannot be used: every mistake that was found, one line each in *problems*."""

    def __init__(self, problems: tuple[str, ...], config: Path | None = None) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        self.config = config


def setting(
    default: Any,
    help: str,  # noqa: A002  (what every option library calls it)
    *,
    flag: str | None = None,
    env: str | None = None,
    secret: bool = False,
    check: Check | None = None,
    restart: bool = False,
) -> Any:
    """A field of the tree. *flag* and *env* default to its name; *restart*: SIGHUP cannot change it."""
    return attrs.field(
        default=default,
        repr=not secret,
        validator=None if check is None else _enforced(check),
        metadata={
            METADATA_KEY: {
                "help": help,
                "flag": flag,
                "env": env,
                "secret": secret,
                "check": check,
                "restart": restart,
            }
        },
    )


def _enforced(check: Check) -> Callable[[object, attrs.Attribute[Any], object], None]:
    def validate(_: object, attribute: attrs.Attribute[Any], value: object) -> None:
        problem = None if value is None else check(value)
        if problem is not None:
            raise ValueError(f"{attribute.name}: {problem}")

    return validate


@attrs.frozen
class ServerSettings:
    """[server]: where it listens, who may ask, how it stops."""

    host: str = setting("127.0.0.1", "address to listen on", check=checks.bare_host, restart=True)
    port: int = setting(1337, "port to listen on; 0: any free one", check=checks.port, restart=True)
    api_key: SecretStr | None = setting(
        None,
        "key that clients must send; unset: anybody on this machine may ask",
        flag="--g4f-api-key",
        secret=True,
        check=checks.key,
    )
    insecure_no_auth: bool = setting(
        default=False, help="listen beyond this machine without a key", restart=True
    )
    allowed_hosts: tuple[str, ...] = setting(
        (),
        "further names in Host headers that are answered on a loopback address",
        check=checks.bare_hosts,
    )
    cors_origin: tuple[str, ...] = setting(
        (),
        'web origins whose pages may call the API, without cookies; "*" alone: all of them',
        check=checks.origins,
        restart=True,
    )
    ssl_certfile: Path | None = setting(None, "TLS certificate chain (PEM)", restart=True)
    ssl_keyfile: Path | None = setting(None, "TLS private key (PEM)", restart=True)
    max_body: int = setting(
        32 * 2**20, "largest request body in bytes", check=checks.size, restart=True
    )
    header_timeout: float = setting(
        10.0,
        "seconds a client may take for the headers of its first request",
        check=checks.seconds,
        restart=True,
    )
    body_timeout: float = setting(
        60.0, "seconds a client may take for a request body", check=checks.seconds
    )
    write_timeout: float = setting(
        60.0, "seconds a client may take no bytes of its stream", check=checks.seconds
    )
    keep_alive: float = setting(
        15.0, "seconds of silence after which a stream gets a comment", check=checks.seconds
    )
    drain: float = setting(
        30.0, "seconds that streams may run on after SIGTERM", check=checks.seconds_or_zero
    )
    debug: bool = setting(default=False, help="log more, and asyncio's own checks", restart=True)
    access_log: bool = setting(default=False, help="one log line for each request", restart=True)
    log_format: str = setting("text", "text or json", check=checks.log_format, restart=True)


@attrs.frozen
class RoutingSettings:
    """[routing]: who answers when the request does not say."""

    provider: str | None = setting(None, "default provider; unset: automatic")
    model: str | None = setting(None, "default model; unset: the provider's own")
    ignored_providers: tuple[str, ...] = setting((), "providers never to use")
    detect_local: bool = setting(
        default=True,
        help="look for Ollama, llama-server, LM Studio, vLLM and LocalAI on this machine",
    )


@attrs.frozen
class UpstreamSettings:
    """[upstream]: how providers are called."""

    connect_timeout: float = setting(
        5.0, "seconds for a connection to a provider", check=checks.seconds
    )
    headers_timeout: float = setting(
        120.0, "seconds from the request to the status of a provider's answer", check=checks.seconds
    )
    first_token_timeout: float = setting(
        120.0, "seconds from the request to the first token", check=checks.seconds
    )
    stream_timeout: float = setting(60.0, "seconds between two tokens", check=checks.seconds)
    timeout: float = setting(600.0, "seconds for a whole answer", check=checks.seconds)
    proxy: SecretStr | None = setting(
        None,
        "HTTP proxy for calls to providers (not to ones on this machine)",
        secret=True,
        check=checks.proxy,
    )
    allow_request_proxy: bool = setting(
        default=False, help="let everybody, not only the local user, name a proxy in a request"
    )
    max_event: int = setting(
        16 * 2**20, "largest single event of a provider, in bytes", check=checks.size
    )


@attrs.frozen
class ProviderSettings:
    """[providers.NAME]: one provider under a name of your own choice.

    *type* is an entry-point name in the group ``g4f.providers``; by default the table's name.
    *options* is the rest of the table: the attrs fields of the provider's class.
    """

    type: str = setting(
        attrs.NOTHING, "name of the plug-in; unset: the table's name", check=checks.filled
    )
    api_key: SecretStr | None = setting(
        None, 'a string, { env = "…" } or { file = "…" }', secret=True, check=checks.key
    )
    enabled: bool = setting(default=True, help="false: configured, but never used")
    models: tuple[str, ...] = setting((), "the models it has; unset: it is asked")
    connect_timeout: float | None = setting(None, "as in [upstream]", check=checks.seconds)
    headers_timeout: float | None = setting(None, "as in [upstream]", check=checks.seconds)
    first_token_timeout: float | None = setting(None, "as in [upstream]", check=checks.seconds)
    stream_timeout: float | None = setting(None, "as in [upstream]", check=checks.seconds)
    timeout: float | None = setting(None, "as in [upstream]", check=checks.seconds)
    options: dict[str, Any] = attrs.field(factory=dict, repr=False)

    def secrets(self) -> frozenset[str]:
        """Every secret value of the table."""
        found: list[object] = [self.api_key]
        for key, value in self.options.items():
            if type(value) is str and any(word in key.lower() for word in _SECRET_WORDS):
                found.append(value)
        headers = self.options.get("headers")
        # any of them may be a credential, and which ones only their upstream knows
        found += headers.values() if type(headers) is dict else ()
        return frozenset(str(value) for value in found if value)


@attrs.frozen
class ModelTarget:
    """One link of a model's chain; no *model* means the name that was asked for."""

    provider: str = setting(attrs.NOTHING, "name of a provider", check=checks.filled)
    model: str | None = setting(None, "what that provider calls the model; unset: the same")


@attrs.frozen
class Settings:
    """The whole tree."""

    server: ServerSettings = ServerSettings()
    routing: RoutingSettings = RoutingSettings()
    upstream: UpstreamSettings = UpstreamSettings()
    providers: dict[str, ProviderSettings] = attrs.field(factory=dict)
    models: dict[str, tuple[ModelTarget, ...]] = attrs.field(factory=dict)
    disabled_plugins: tuple[str, ...] = ()
    #: credentials found in the environment, by the variable's name
    environment_keys: dict[str, SecretStr] = attrs.field(factory=dict, repr=False)
    data_dir: Path = Path()
    #: the file the tree was read from; None when there was none
    config: Path | None = None
    #: what is no mistake but worth a line in the log
    warnings: tuple[str, ...] = ()

    def secrets(self) -> frozenset[str]:
        """Every secret value in the tree, for the log to leave out."""
        proxy = self.upstream.proxy
        found = [self.server.api_key, proxy, urlsplit(proxy or "").password]
        found += self.environment_keys.values()
        for provider in self.providers.values():
            found += provider.secrets()
        return frozenset(str(value) for value in found if value)


_SECRET_WORDS = ("key", "token", "secret", "password", "cookie")


def is_loopback(host: str) -> bool:
    """Whether *host* can only be reached from this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
