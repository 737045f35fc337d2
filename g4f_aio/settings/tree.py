"""All settings: one tree of attrs classes, immutable.

Each field says its default, its help and what values it takes. Its key in the file, its flag and
its variable follow from its name unless the metadata names others (``options``); ``load`` fills the
tree.
"""

# ruff: noqa: RUF009  (setting() makes an attrs field)

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from urllib.parse import unquote, urlsplit

import attrs

from ..storage.address import Address
from . import checks
from .fetch import FetchSettings
from .search import SearchSettings
from .secret import SecretStr
from .setting import setting
from .storage import StorageSettings
from .tables import KeySettings, ModelTarget, ProviderSettings


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
    max_requests: int = setting(
        4000, "requests answered at one time; further ones wait", check=checks.count
    )
    queue: int = setting(
        1000,
        "requests that may wait for their turn; further ones get 503",
        check=checks.count_or_zero,
    )
    queue_timeout: float = setting(
        2.0, "seconds a request waits for its turn before it gets 503", check=checks.seconds
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
    access_log: bool = setting(
        default=False, help="a log line for each request and each answer", restart=True
    )
    log_format: str = setting("text", "text or json", check=checks.log_format, restart=True)
    request_log: int = setting(
        1000,
        "finished requests of which is kept who asked, who was tried and how it ended; 0: none",
        check=checks.count_or_zero,
        restart=True,
    )
    otlp_endpoint: str | None = setting(
        None,
        "base URL of an OpenTelemetry collector that gets spans of each request (OTLP over HTTP)",
        check=checks.collector,
        restart=True,
    )
    otlp_headers: SecretStr | None = setting(
        None,
        "headers for that collector: name=value, separated by commas",
        secret=True,
        check=checks.headers,
        restart=True,
    )


@attrs.frozen
class RoutingSettings:
    """[routing]: who answers when the request does not say."""

    provider: str | None = setting(None, "default provider; unset: automatic")
    model: str | None = setting(None, "default model; unset: the provider's own")
    ignored_providers: tuple[str, ...] = setting((), "providers never to use")
    retries: int = setting(
        2,
        "further tries of a request that failed before its first word, when nobody else is left",
        check=checks.count_or_zero,
    )
    hedge: bool = setting(
        default=False,
        help="ask a second provider when the first is slower to begin than it mostly is",
    )
    hedge_share: float = setting(
        0.05, "the share of requests that may be asked twice so", check=checks.share
    )
    emulate: bool = setting(
        default=True,
        help="supply what a provider lacks (tools, JSON answers, n, stop); a request's own emulate"
        " field overrules it",
    )
    caption_model: str | None = setting(
        None,
        "model, or Provider:model, that describes images for models that see none; unset: refused",
    )
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
class CacheSettings:
    """[cache]: answers that are given again to the same request of the same key."""

    enabled: bool = setting(
        default=False,
        help="answer a repeated request from memory; a request's own cache field overrules it",
        flag="--cache",
        env="G4F_CACHE",
    )
    ttl: float = setting(
        300.0,
        "seconds for which an answer is kept",
        flag="--cache-ttl",
        env="G4F_CACHE_TTL",
        check=checks.seconds,
    )
    size: int = setting(
        64 * 2**20,
        "bytes that all answers together may take; the one unused longest makes room",
        flag="--cache-size",
        env="G4F_CACHE_SIZE",
        check=checks.size,
    )


@attrs.frozen
class Settings:
    """The whole tree."""

    server: ServerSettings = ServerSettings()
    routing: RoutingSettings = RoutingSettings()
    upstream: UpstreamSettings = UpstreamSettings()
    cache: CacheSettings = CacheSettings()
    fetch: FetchSettings = FetchSettings()
    search: SearchSettings = SearchSettings()
    storage: StorageSettings = StorageSettings()
    providers: dict[str, ProviderSettings] = attrs.field(factory=dict)
    models: dict[str, tuple[ModelTarget, ...]] = attrs.field(factory=dict)
    keys: dict[str, KeySettings] = attrs.field(factory=dict)
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
        found += (key.key for key in self.keys.values())
        password = urlsplit(self.storage.database or "").password
        found += (password, unquote(password or ""))
        found += checks.header_pairs(self.server.otlp_headers or "").values()
        return frozenset(str(value) for value in found if value)


def address_of(settings: Settings) -> Address:
    """Where the database is. Without a data directory nothing is written to the disk unasked."""
    data_dir = settings.data_dir
    return Address.of(settings.storage.database, None if data_dir == Path() else data_dir)


def is_loopback(host: str) -> bool:
    """Whether *host* can only be reached from this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
