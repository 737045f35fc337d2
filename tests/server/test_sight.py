"""Those who take note of requests, put together: none of them may disturb a request."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pytest

from g4f_aio.app import create_app
from g4f_aio.core.record import Ledger, RequestRecord
from g4f_aio.gateway.registry import Registry
from g4f_aio.keys import LEDGER
from g4f_aio.server import sight
from g4f_aio.server.counters import Counters
from g4f_aio.server.metrics import COUNTERS
from g4f_aio.settings import Settings, SettingsError
from g4f_aio.settings.secret import SecretStr
from tests.collector import Collector, collecting
from tests.e2e.waiting import until
from tests.server.conftest import QUIET, Start
from tests.server.fakes import HELLO, Script, Server, entry
from tests.server.records import record


class Clumsy:
    """Fails to note anything."""

    def ended(self, record: RequestRecord) -> None:
        raise ZeroDivisionError("in the observer")


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector of spans."""
    with collecting() as found:
        yield found


def with_collector(url: str | None, headers: str | None = None) -> Settings:
    secret = None if headers is None else SecretStr(headers)
    server = attrs.evolve(QUIET.server, otlp_endpoint=url, otlp_headers=secret)
    return attrs.evolve(QUIET, server=server)


def test_what_an_observer_raises_is_logged_and_no_more(caplog: pytest.LogCaptureFixture) -> None:
    ledger, counters = Ledger(), Counters()
    for observer in (Clumsy(), counters):
        ledger.tell(observer)
    ledger.close(record())
    assert len(list(counters.lanes())) == 1, "the others are told all the same"
    assert "Clumsy did not note a request" in caplog.text
    assert "in the observer" in caplog.text


async def test_a_request_is_answered_and_noted_by_others_all_the_same(server: Server) -> None:
    ledger = server.app[LEDGER]
    ledger._observers = (Clumsy(), *ledger._observers)
    assert (await server.chat()).status == 200
    assert (await server.chat({**HELLO, "model": "none"})).status == 404
    (key,) = server.app[COUNTERS].keys.values()
    assert key.requests == 2


async def test_spans_are_sent_where_the_settings_say(
    start: Start, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    settings = with_collector(collector.url, "authorization=Basic%20abc")
    server = await start(settings=settings)
    await server.chat(headers={"x-request-id": "one"})
    await until(lambda: len(collector.of("one")) == 2)
    assert collector.requests[0]["headers"]["authorization"] == "Basic abc"


@pytest.mark.usefixtures("server")
async def test_no_spans_are_sent_unless_that_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sight, "import_module", None)
    assert create_app(QUIET, Registry.of(entry(Script())))


def test_without_the_packages_the_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def import_module(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'opentelemetry'")

    monkeypatch.setattr(sight, "import_module", import_module)
    with pytest.raises(SettingsError) as caught:
        create_app(with_collector("http://127.0.0.1:4318"), Registry.of(entry(Script())))
    (problem,) = caught.value.problems
    assert problem.startswith("server.otlp_endpoint: ")
    assert "pip install g4f_aio[otel]" in problem
