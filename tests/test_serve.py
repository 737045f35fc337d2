"""Serving until a signal: the socket, reloads, systemd, and the end. It runs in this process."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import queue
import resource
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPSConnection
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs
import pytest
import structlog
import trustme

from g4f_aio import serve
from g4f_aio.server.protocol import Connection
from g4f_aio.settings import Settings, SettingsError, load

PATIENCE = 60.0


@attrs.define
class Visitor:
    """What a test does while the server runs: in a thread, as the server has the main one."""

    messages: queue.Queue[str]
    #: where systemd would listen
    manager: socket.socket
    #: whether the server was told to stop; a signal too many would end the tests
    stopped: bool = False

    def log(self, text: str) -> str:
        """The next message of the log that has *text* in it."""
        while True:
            message = self.messages.get(timeout=PATIENCE)
            if text in message:
                return message

    def told(self) -> str:
        """What systemd is told next, heartbeats left out."""
        while (state := self.manager.recv(1000).decode()) == "WATCHDOG=1":
            pass
        return state.partition("\n")[0]

    def url(self) -> str:
        """Where the server listens, once it does."""
        return self.log("listens on").split()[-1]

    def status(self, url: str, path: str = "/v1/models", key: str = "") -> int:
        """The status of an answer."""
        host = url.partition("://")[2]
        connection = HTTPConnection(host, timeout=PATIENCE)
        connection.request("GET", path, headers={"api-key": key})
        found = connection.getresponse().status
        connection.close()
        return found

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server."""
        self.stopped = self.stopped or number != signal.SIGHUP
        os.kill(os.getpid(), number)


Visit = Callable[[Visitor], None]
Serve = Callable[..., int]
Of = Callable[..., Settings]


@pytest.fixture(scope="module", autouse=True)
def _little_to_collect() -> None:
    """The server collects all garbage when it starts: what other tests left is not looked through."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def process_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The server changes its process, which is ours: put that back.

    But for what it hides from the garbage collector, which could only be put back together with
    all that was hidden before it: it hides nothing here.
    """
    monkeypatch.setattr(gc, "freeze", lambda: None)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    thresholds, files = gc.get_threshold(), resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    gc.set_threshold(*thresholds)
    resource.setrlimit(resource.RLIMIT_NOFILE, files)


@pytest.fixture
def visitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Visitor]:
    """A visitor that hears what the server logs and what it tells systemd."""
    messages: queue.Queue[str] = queue.Queue()

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.put(f"{record.levelname} {record.getMessage()}")

    ear = Ear()
    logger = logging.getLogger("g4f_aio.serve")
    logger.addHandler(ear)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE)
        yield Visitor(messages, manager)
    logger.removeHandler(ear)


@pytest.fixture
def of(tmp_path: Path) -> Of:
    """Settings from a file of the given text, with a free port unless it names another."""

    def read(text: str = "") -> Settings:
        (tmp_path / "gateway.toml").write_text(text, "utf-8")
        port = None if "port =" in text else 0
        flags = {"server.port": port, "routing.detect_local": False, "data_dir": tmp_path}
        return load(flags, {})

    return read


@pytest.fixture
def serving(visitor: Visitor, of: Of) -> Serve:
    """Serve with settings of this text while *visit* does its part; the exit status."""

    def run(visit: Visit, text: str = "", reload: Callable[[], Settings] | None = None) -> int:
        settings = of(text)
        errors: list[BaseException] = []

        def part() -> None:
            try:
                visit(visitor)
            except BaseException as error:  # noqa: BLE001  (raised below, in the test's own thread)
                errors.append(error)
            finally:
                if not visitor.stopped:
                    visitor.signal(signal.SIGTERM)

        thread = threading.Thread(target=part)
        # while the server does not listen for it, SIGTERM would end the tests
        old = signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            thread.start()
            status = serve.run(settings, reload or (lambda: settings))
        finally:
            thread.join(PATIENCE)
            signal.signal(signal.SIGTERM, old)
        for error in errors:
            raise error
        return status

    return run


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal(serving: Serve, number: signal.Signals) -> None:
    def visit(visitor: Visitor) -> None:
        assert visitor.status(visitor.url()) == 200
        visitor.signal(number)
        assert "0 answers under way" in visitor.log("stopping")
        visitor.log("stopped")

    assert serving(visit) == 0


@pytest.mark.parametrize("there", [True, False])
def test_it_runs_on_uvloop_where_that_is_there(
    serving: Serve, monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    if not there:
        monkeypatch.setattr(serve, "uvloop", None)
    elif find_spec("uvloop") is None:
        pytest.skip("there is no uvloop here")
    loops: list[asyncio.AbstractEventLoop] = []
    listening = serve._listening

    def spy(*arguments: Any) -> Any:
        loops.append(asyncio.get_running_loop())
        return listening(*arguments)

    def visit(visitor: Visitor) -> None:
        assert visitor.status(visitor.url()) == 200

    monkeypatch.setattr(serve, "_listening", spy)
    assert serving(visit) == 0
    assert type(loops[0]).__module__.startswith("uvloop" if there else "asyncio")


def test_many_clients_at_once_wait_for_few_turns_of_the_loop(
    serving: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """libuv takes one connection of a listener in each turn, and a turn may be long."""
    if find_spec("uvloop") is None:
        pytest.skip("there is no uvloop here")
    clients = 40
    #: of each turn from the first client on
    accepted: list[int] = []

    class Counted(Connection):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            if not accepted:
                accepted.append(0)
                turn()
                end = time.monotonic() + PATIENCE
                while not come.is_set() and time.monotonic() < end:
                    pass  # busy, as with many answers under way
            accepted[-1] += 1

    def turn() -> None:
        accepted.append(0)
        if sum(accepted) < clients:
            asyncio.get_running_loop().call_soon(turn)

    come = threading.Event()

    def visit(visitor: Visitor) -> None:
        url = urlsplit(visitor.url())
        address = url.hostname or "", url.port or 0
        with ExitStack() as stack:
            for _ in range(clients):
                stack.enter_context(socket.create_connection(address))
            come.set()
            end = time.monotonic() + PATIENCE
            while sum(accepted) < clients and time.monotonic() < end:
                time.sleep(0.01)

    monkeypatch.setattr(serve, "Connection", Counted)
    assert serving(visit) == 0
    assert sum(accepted) == clients
    assert max(accepted) == serve.LISTENERS > 1


def test_the_address_of_a_v6_host_can_be_clicked(serving: Serve) -> None:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("there is no IPv6 here")

    def visit(visitor: Visitor) -> None:
        url = visitor.url()
        assert url.startswith("http://[::1]:")
        assert visitor.status(url) == 200

    assert serving(visit, '[server]\nhost = "::1"\n') == 0


def test_a_port_that_is_taken_is_an_error_in_one_line(
    visitor: Visitor, of: Of, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = of(f"[server]\nport = {taken.getsockname()[1]}\n")
        assert serve.run(settings, lambda: settings) == 1
    line = visitor.messages.get_nowait()
    assert line.startswith(f"ERROR cannot listen on 127.0.0.1 port {settings.server.port}: ")
    assert "Traceback" not in capsys.readouterr().err


TLS = '[server]\nssl_certfile = "cert.pem"\nssl_keyfile = "key.pem"\n'


def test_tls(serving: Serve, tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)

    def visit(visitor: Visitor) -> None:
        url = visitor.url()
        assert url.startswith("https://127.0.0.1:")
        port = int(url.rpartition(":")[2])
        connection = HTTPSConnection("localhost", port, context=trusting, timeout=PATIENCE)
        connection.request("GET", "/readyz")
        assert connection.getresponse().status == 200
        connection.close()

    assert serving(visit, TLS) == 0


def test_a_certificate_that_is_none_is_a_mistake_in_the_settings(of: Of, tmp_path: Path) -> None:
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).write_text("nonsense", "utf-8")
    settings = of(TLS)
    with pytest.raises(SettingsError, match=r"server\.ssl_certfile, .*: cannot be used as"):
        serve.run(settings, lambda: settings)


NEW = '[server]\napi_key = "new-key"\nmax_body = 1000\n'


def test_a_reload_takes_effect_and_says_what_it_cannot_change(serving: Serve, of: Of) -> None:
    def visit(visitor: Visitor) -> None:
        url = visitor.url()
        assert visitor.status(url) == 200
        visitor.signal(signal.SIGHUP)
        assert "server.max_body changes only with a restart" in visitor.log("WARNING")
        visitor.log("settings reloaded")
        assert visitor.status(url) == 401
        assert visitor.status(url, key="new-key") == 200

    assert serving(visit, reload=lambda: of(NEW)) == 0


def test_settings_that_cannot_be_used_leave_the_old_ones_in_force(serving: Serve) -> None:
    def reload() -> Settings:
        raise SettingsError(("server.prot: unknown setting", "server.drain: must not be -1"))

    def visit(visitor: Visitor) -> None:
        url = visitor.url()
        visitor.signal(signal.SIGHUP)
        line = visitor.log("not reloaded")
        assert line.startswith("ERROR")
        assert "server.prot: unknown setting; server.drain: must not be -1" in line
        assert visitor.status(url, key="old-key") == 200

    assert serving(visit, '[server]\napi_key = "old-key"\n', reload) == 0


def test_a_reload_that_breaks_harms_nobody(serving: Serve, of: Of) -> None:
    tries: list[int] = []

    def reload() -> Settings:
        tries.append(1)
        if len(tries) == 1:
            raise ZeroDivisionError
        return of(NEW)

    def visit(visitor: Visitor) -> None:
        url = visitor.url()
        visitor.signal(signal.SIGHUP)
        visitor.log("ERROR settings not reloaded")
        assert visitor.status(url) == 200
        visitor.signal(signal.SIGHUP)
        visitor.log("settings reloaded")
        assert visitor.status(url) == 401

    assert serving(visit, reload=reload) == 0


def test_systemd_hears_of_it_all(serving: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "100000")

    def visit(visitor: Visitor) -> None:
        assert [visitor.manager.recv(1000) for _ in range(4)].count(b"WATCHDOG=1") >= 2
        url = visitor.url()
        visitor.signal(signal.SIGHUP)
        assert visitor.told() in ("READY=1", "RELOADING=1")
        visitor.log("settings reloaded")
        assert visitor.status(url) == 200
        visitor.signal(signal.SIGTERM)
        while visitor.told() != "STOPPING=1":
            pass

    assert serving(visit) == 0


SLOW = """
[server]
drain = {drain}

[providers.slow]
type = "scripted"
delay = 0.05
repeat = 4
"""


def ask(url: str) -> HTTPConnection:
    """A connection on which a stream was asked for."""
    connection = HTTPConnection(url.partition("://")[2], timeout=PATIENCE)
    body = '{"model": "slow", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}'
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", body, headers)
    return connection


def test_an_answer_under_way_may_finish(serving: Serve) -> None:
    def visit(visitor: Visitor) -> None:
        with closing(ask(visitor.url())) as connection:
            response = connection.getresponse()
            visitor.signal(signal.SIGTERM)
            visitor.log("stopping; 1 answers under way")
            assert response.read().endswith(b"data: [DONE]\n\n")
        visitor.log("stopped")

    assert serving(visit, SLOW.format(drain=PATIENCE)) == 0


@pytest.mark.parametrize("again", [False, True])
def test_an_answer_that_lasts_longer_is_ended(serving: Serve, *, again: bool) -> None:
    """After the time the settings give, or when the signal comes again."""

    def visit(visitor: Visitor) -> None:
        with closing(ask(visitor.url())) as connection:
            response = connection.getresponse()
            visitor.signal(signal.SIGTERM)
            visitor.log("stopping; 1 answers under way")
            if again:
                visitor.signal(signal.SIGTERM)
            said = response.read()
        assert b"server_shutdown" in said
        assert b"[DONE]" not in said
        visitor.log("stopped")

    assert serving(visit, SLOW.format(drain=PATIENCE if again else 0.1)) == 0


def test_more_files_may_be_open_than_programs_usually_want(serving: Serve) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    def visit(visitor: Visitor) -> None:
        visitor.url()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)

    assert serving(visit) == 0


def test_a_reload_without_the_settings_file_keeps_what_it_said(tmp_path: Path) -> None:
    old = Settings(config=tmp_path / "gateway.toml")
    with pytest.raises(SettingsError, match="the settings file is gone"):
        serve._read(Settings, old)
