"""All settings: one tree of attrs classes. ``load`` fills it from flags, environment and file.

A field's metadata says its flag and variable where they do not follow from its name; the command
line, ``conf/gateway.toml`` and the README's table come from the same fields.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
from typed_settings import SecretStr


def setting(
    default: Any,
    help: str,  # noqa: A002  (what every option library calls it)
    *,
    flag: str | None = None,
    env: str | None = None,
    secret: bool = False,
    factory: Any = None,
    validator: Any = None,
    restart: bool = False,
) -> Any:
    """A field of the tree. *flag* and *env* default to its name; *restart*: SIGHUP cannot change it."""
    metadata = {"help": help, "flag": flag, "env": env, "secret": secret, "restart": restart}
    if factory is not None:
        return attrs.field(factory=factory, metadata=metadata, validator=validator)
    return attrs.field(
        default=default, metadata=metadata, validator=validator, repr=not secret
    )


@attrs.frozen
class ServerSettings:
    """[server]: where it listens, who may ask, how it stops."""

    host: str = setting("127.0.0.1", "address to listen on", restart=True)
    port: int = setting(1337, "port to listen on", restart=True)
    api_key: SecretStr | None = setting(
        None,
        "key that clients must send; unset: anybody on this machine may ask",
        flag="--g4f-api-key",
        secret=True,
    )
    insecure_no_auth: bool = setting(
        False, "listen beyond this machine without a key", restart=True
    )
    allowed_hosts: tuple[str, ...] = setting(
        (), "further names in Host headers that are answered on a loopback address"
    )
    cors_origin: tuple[str, ...] = setting(
        (), "web origins whose pages may call the API; repeat the flag for more", restart=True
    )
    ssl_certfile: Path | None = setting(None, "TLS certificate chain (PEM)", restart=True)
    ssl_keyfile: Path | None = setting(None, "TLS private key (PEM)", restart=True)
    max_body: int = setting(32 * 2**20, "largest request body in bytes", restart=True)
    header_timeout: float = setting(
        10.0, "seconds a client may take for the headers of its first request", restart=True
    )
    body_timeout: float = setting(60.0, "seconds a client may take for a request body")
    write_timeout: float = setting(60.0, "seconds a client may take no bytes of its stream")
    keep_alive: float = setting(15.0, "seconds of silence after which a stream gets a comment")
    drain: float = setting(30.0, "seconds that streams may run on after SIGTERM")
    debug: bool = setting(False, "log more, and asyncio's own checks", restart=True)
    access_log: bool = setting(False, "one log line for each request", restart=True)
    log_format: str = setting(
        "text",
        "text or json",
        validator=attrs.validators.in_(("text", "json")),
        restart=True,
    )


@attrs.frozen
class RoutingSettings:
    """[routing]: who answers when the request does not say."""

    provider: str | None = setting(None, "default provider; unset: automatic")
    model: str | None = setting(None, "default model; unset: the provider's own")
    ignored_providers: tuple[str, ...] = setting(
        (), "providers never to use; repeat the flag for more"
    )
    detect_local: bool = setting(
        True, "look for Ollama, llama-server, LM Studio, vLLM and LocalAI on this machine"
    )


@attrs.frozen
class UpstreamSettings:
    """[upstream]: how providers are called."""

    connect_timeout: float = setting(5.0, "seconds for a connection to a provider")
    headers_timeout: float = setting(
        120.0, "seconds from the request to the status of a provider's answer"
    )
    first_token_timeout: float = setting(120.0, "seconds from the request to the first token")
    stream_timeout: float = setting(60.0, "seconds between two tokens")
    timeout: float = setting(600.0, "seconds for a whole answer")
    proxy: SecretStr | None = setting(
        None, "HTTP proxy for calls to providers (not to ones on this machine)", secret=True
    )
    allow_request_proxy: bool = setting(
        default=False, help="let everybody, not only the local user, name a proxy in a request"
    )
    max_event: int = setting(16 * 2**20, "largest single event of a provider, in bytes")


@attrs.frozen
class ProviderSettings:
    """[providers.NAME]: one provider under a name of your own choice.

    *type* is an entry-point name in the group ``g4f.providers``; by default the table's name.
    *options* is the rest of the table: the attrs fields of the provider's class.
    """

    type: str
    api_key: SecretStr | None = attrs.field(default=None, repr=False)
    enabled: bool = True
    models: tuple[str, ...] = ()
    connect_timeout: float | None = None
    headers_timeout: float | None = None
    first_token_timeout: float | None = None
    stream_timeout: float | None = None
    timeout: float | None = None
    options: dict[str, Any] = attrs.field(factory=dict, repr=False)


@attrs.frozen
class ModelTarget:
    """One link of a model's chain; no *model* means the name that was asked for."""

    provider: str
    model: str | None = None


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
