"""Running the server: the event loop, the listening socket, signals, systemd, and the end."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

from aiohttp import web

from . import __version__, logs
from .app import build_registry, create_app, reload_app
from .core.outbox import Outbox
from .gateway.registry import Registry
from .keys import CURRENT
from .sd_notify import notify, watchdog_interval
from .server.access_log import AccessLog
from .server.answers import ANSWERS
from .server.protocol import Connection
from .settings import Settings, SettingsError, environment, restart_needed

try:
    import uvloop
except ImportError:  # it is an extra speed, not a need
    uvloop = None  # type: ignore[assignment]

#: seconds that an idle connection of a client is kept; longer than proxies in front of us do
KEEP_ALIVE = 75.0
BACKLOG = 1024
#: how many connections uvloop takes in one turn
LISTENERS = 8
_log = logging.getLogger(__name__)


def run(settings: Settings, reload: Callable[[], Settings]) -> int:
    """Serve until SIGTERM or SIGINT; the exit status.

    *reload* reads the settings again; SIGHUP calls it.
    """
    redactor = logs.configure(
        format=settings.server.log_format,
        debug=settings.server.debug,
        secrets=settings.secrets(),
    )
    for warning in settings.warnings:
        _log.warning("%s", warning)
    _raise_file_limit()
    app = create_app(settings)
    factory = None if uvloop is None else uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory, debug=settings.server.debug or None) as runner:
        try:
            runner.run(_serve(app, reload, redactor))
        except OSError as error:
            server = settings.server
            _log.error(
                "cannot listen on %s port %d: %s", server.host, server.port, error.strerror or error
            )
            return 1
    return 0


async def _serve(
    app: web.Application, reload: Callable[[], Settings], redactor: logs.Redactor
) -> None:
    settings = app[CURRENT].settings
    stop, hurry = asyncio.Event(), asyncio.Event()
    runner = web.AppRunner(
        app,
        handler_cancellation=True,
        shutdown_timeout=1.0,  # the answers have been drained before
        access_log=logging.getLogger("g4f_aio.access") if settings.server.access_log else None,
    )
    environ = environment()
    await runner.setup()
    try:
        async with _listening(runner, settings) as listeners, _heartbeat(environ):
            _freeze()
            wanted = asyncio.Event()
            _on_signals(stop, hurry, wanted)
            _log.info("g4f_aio %s listens on %s", __version__, _address(listeners[0], settings))
            notify("READY=1", environ)
            async with asyncio.TaskGroup() as group:
                reloads = group.create_task(_reloads(app, wanted, reload, redactor))
                await stop.wait()
                reloads.cancel()
            notify("STOPPING=1", environ)
            _log.info("stopping; %d answers under way", len(app[ANSWERS]))
            app[CURRENT].draining = True
            for one in listeners:
                one.close()
            # the heart beats until the last answer is out: systemd would kill a server that drains
            await _drain(app, hurry)
    finally:
        await runner.cleanup()
    _log.info("stopped")


@asynccontextmanager
async def _listening(
    runner: web.AppRunner, settings: Settings
) -> AsyncIterator[list[asyncio.Server]]:
    """The listening sockets; the first one knows the address."""
    server = settings.server
    loop = asyncio.get_running_loop()
    connection = partial(
        Connection,
        runner.server,
        loop=loop,
        header_timeout=server.header_timeout,
        # aiohttp sends files in a way of asyncio's own event loops that goes past any outbox
        outbox=None if uvloop is None else Outbox(),
        keepalive_timeout=KEEP_ALIVE,
        access_log_class=AccessLog,
        access_log=logging.getLogger("g4f_aio.access") if server.access_log else None,
    )
    tls = _tls(settings)
    listeners = [
        await loop.create_server(connection, server.host, server.port, ssl=tls, backlog=BACKLOG)
    ]
    try:
        if uvloop is not None:
            listeners += [
                await loop.create_server(connection, sock=again, ssl=tls, backlog=BACKLOG)
                for again in _duplicates(listeners[0], LISTENERS - 1)
            ]
        yield listeners
    finally:
        for one in listeners:
            one.close()


def _duplicates(listener: asyncio.Server, times: int) -> Iterator[socket.socket]:
    """The listening sockets once more: libuv takes one connection of each in a turn of the loop.

    A turn is long where many answers are under way, and clients would wait for as many turns as there
    are of them before (https://github.com/libuv/libuv/pull/3696).
    """
    for one in listener.sockets:
        for _ in range(times):
            yield socket.socket(fileno=os.dup(one.fileno()))


def _address(listener: asyncio.Server, settings: Settings) -> str:
    """The URL it answers at."""
    server = settings.server
    host = f"[{server.host}]" if ":" in server.host else server.host
    port = listener.sockets[0].getsockname()[1]
    return f"{'http' if server.ssl_certfile is None else 'https'}://{host}:{port}"


async def _drain(app: web.Application, hurry: asyncio.Event) -> None:
    """Let answers run on for the time the settings give, or until the next signal."""
    seconds = app[CURRENT].settings.server.drain
    async with asyncio.TaskGroup() as group:
        drain = group.create_task(app[ANSWERS].drain(seconds))
        again = group.create_task(hurry.wait())
        await asyncio.wait((drain, again), return_when=asyncio.FIRST_COMPLETED)
        if drain.done():
            again.cancel()
        else:
            drain.cancel()
            await app[ANSWERS].drain(0)
    left = 0 if drain.cancelled() else drain.result()
    if left:
        _log.warning("ended %d answers that had not finished", left)


def _on_signals(stop: asyncio.Event, hurry: asyncio.Event, reload: asyncio.Event) -> None:
    """SIGTERM and SIGINT stop the server, and once more its draining; SIGHUP reloads."""
    loop = asyncio.get_running_loop()

    def end() -> None:
        (hurry if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    loop.add_signal_handler(signal.SIGHUP, reload.set)


async def _reloads(
    app: web.Application,
    wanted: asyncio.Event,
    reload: Callable[[], Settings],
    redactor: logs.Redactor,
) -> None:
    """Read the settings again whenever that is wanted; wrong ones leave the old in force."""
    environ = environment()
    while True:
        await wanted.wait()
        wanted.clear()
        notify("RELOADING=1", environ)
        old = app[CURRENT].settings
        try:
            new, registry = await asyncio.to_thread(_read, reload, old)
        except SettingsError as error:
            _log.error("settings not reloaded: %s", "; ".join(error.problems))
        except Exception:  # noqa: BLE001  (logged; the old settings stay)
            _log.exception("settings not reloaded")
        else:
            redactor.add(*new.secrets())
            reload_app(app, new, registry)
            del registry
            # the old state is full of cycles, and the collector itself would leave it lie for long
            gc.collect()
            for name in restart_needed(old, new):
                _log.warning("%s changes only with a restart", name)
            _log.info("settings reloaded")
        notify("READY=1", environ)


def _read(reload: Callable[[], Settings], old: Settings) -> tuple[Settings, Registry]:
    settings = reload()
    if old.config is not None and settings.config is None:
        # the defaults would open a server that its file had closed
        raise SettingsError(("the settings file is gone",), old.config)
    return settings, build_registry(settings)


@asynccontextmanager
async def _heartbeat(environ: Mapping[str, str]) -> AsyncIterator[None]:
    """Tell systemd's watchdog that the event loop runs, where it asks for that."""
    interval = watchdog_interval(environ, os.getpid())
    async with asyncio.TaskGroup() as group:
        task = group.create_task(_watchdog(interval, environ)) if interval else None
        yield
        if task is not None:
            task.cancel()


async def _watchdog(interval: float, environ: Mapping[str, str]) -> None:
    while True:
        notify("WATCHDOG=1", environ)
        await asyncio.sleep(interval)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    server = settings.server
    if server.ssl_certfile is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(server.ssl_certfile, server.ssl_keyfile)
    except (OSError, ssl.SSLError) as error:
        problem = f"cannot be used as a certificate and its key: {error}"
        raise SettingsError((f"server.ssl_certfile, server.ssl_keyfile: {problem}",)) from None
    return context


def _freeze() -> None:
    """Keep the collector away from what lives as long as the process.

    And from looking at requests that are under way: 256 of them are some 50,000 objects, so a lower
    threshold has it walk through all of them for each 256 answers, which cost a seventh of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(250_000, 50, 100)


def _raise_file_limit() -> None:
    """Each stream takes two sockets; the usual soft limit of 1024 is for programs that use select."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
