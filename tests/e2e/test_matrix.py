"""Every scenario, in every dialect, with a provider for each dialect of upstreams, streamed and not.

Nothing is taken on trust: bodies and events are read strictly as the official SDKs' types, the order
of the events is checked, and what the upstream said must all be there, in the client's words. What
cannot be said in a dialect is refused or not even asked; the table says which.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import aiohttp
import attrs
import orjson
import pytest

from tests.anthropic_server import KEY as ANTHROPIC_KEY
from tests.conftest import Upstream
from tests.e2e import wire
from tests.e2e.gateway import Gateway, running
from tests.e2e.matrix.answer import Answer, Refused, Unsaid
from tests.e2e.matrix.chat import Chat
from tests.e2e.matrix.dialect import Dialect
from tests.e2e.matrix.messages import Messages
from tests.e2e.matrix.responses import Responses
from tests.e2e.matrix.scenarios import PROVIDERS, SCENARIOS, TEN_MEGABYTES, Row, Scenario
from tests.e2e.plugin import installed
from tests.gemini_server import KEY as GEMINI_KEY
from tests.hosted_server import running as fake

#: how many cells are asked at one time
CROWD = 16
DIALECTS: dict[str, Dialect] = {
    "chat": Chat(),
    "responses": Responses(),
    "messages": Messages(),
}
#: somebody else's provider, of text and nothing else
TEXT_ONLY = """
    import attrs

    from g4f_aio import Capability
    from g4f_aio.providers.openai_compatible import OpenAICompatible

    @attrs.frozen(kw_only=True)
    class Plugin(OpenAICompatible):
        name = "text-only"
        capabilities = Capability.CHAT | Capability.STREAM
"""
SETTINGS = """
[routing]
detect_local = false
retries = 0

[providers.work]
type = "openai-compatible"
base_url = "{upstream.base_url}"
models = ["echo"]

[providers.plain]
type = "text-only"
base_url = "{upstream.base_url}"
models = ["echo"]

[providers.Anthropic]
base_url = "{anthropic.root}"
api_key = "{anthropic_key}"

[providers.Gemini]
base_url = "{gemini.root}"
api_key = "{gemini_key}"
"""


@attrs.frozen
class Cell:
    """A cell of the matrix."""

    scenario: Scenario
    dialect: str
    provider: str
    streamed: bool

    def __str__(self) -> str:
        form = "streamed" if self.streamed else "whole"
        return f"{self.scenario.name}-{self.dialect}-{self.provider}-{form}"

    @property
    def row(self) -> Row | Unsaid:
        """What the upstream says."""
        return self.scenario.only.get(self.dialect) or self.scenario.by[self.provider]


def cells(scenarios: tuple[Scenario, ...]) -> list[Cell]:
    """Every cell of some scenarios in which there is something to be asked."""
    every = [
        Cell(scenario, dialect, provider, streamed)
        for scenario in scenarios
        for dialect in DIALECTS
        for provider in PROVIDERS
        for streamed in (False, True)
    ]
    return [cell for cell in every if isinstance(cell.row, Row)]


CELLS = cells(SCENARIOS)


def test_the_table_has_a_word_for_every_provider() -> None:
    for scenario in (*SCENARIOS, TEN_MEGABYTES):
        assert tuple(scenario.by) == PROVIDERS, scenario.name
        assert scenario.only.keys() < DIALECTS.keys(), scenario.name
    names = [scenario.name for scenario in SCENARIOS]
    assert len(set(names)) == len(names)


@pytest.fixture(scope="module")
def gateway(
    upstream_process: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway with all of the providers."""
    folder = tmp_path_factory.mktemp("matrix")
    with fake("tests.anthropic_server") as anthropic, fake("tests.gemini_server") as gemini:
        settings = SETTINGS.format(
            upstream=upstream_process,
            anthropic=anthropic,
            gemini=gemini,
            anthropic_key=ANTHROPIC_KEY,
            gemini_key=GEMINI_KEY,
        )
        environ = installed(folder, "text-only", TEXT_ONLY)
        with running(folder, settings, environ=environ) as started:
            yield started


@pytest.fixture(scope="module")
def answers(gateway: Gateway) -> dict[str, wire.Answer]:
    """The whole matrix, at once."""
    return asyncio.run(ask_all(gateway.url, CELLS))


async def ask_all(url: str, asked: list[Cell]) -> dict[str, wire.Answer]:
    """The answers to the requests of some cells, many at one time."""
    room = asyncio.Semaphore(CROWD)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as client:

        async def ask(cell: Cell) -> tuple[str, wire.Answer]:
            dialect, row = DIALECTS[cell.dialect], cell.row
            assert isinstance(row, Row)
            model = f"{cell.provider}:{row.model}"
            body = dialect.asked(cell.scenario.ask, model, stream=cell.streamed)
            async with room, client.post(f"{url}{dialect.path}", json=body) as response:
                return str(cell), await wire.read(response)

        return dict(await asyncio.gather(*map(ask, asked)))


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_cell(answers: dict[str, wire.Answer], cell: Cell) -> None:
    assert_fits(answers[str(cell)], cell)


@pytest.mark.parametrize("cell", cells((TEN_MEGABYTES,)), ids=str)
def test_an_answer_of_10_mb(gateway: Gateway, cell: Cell) -> None:
    assert_fits(asyncio.run(ask_all(gateway.url, [cell]))[str(cell)], cell)


def assert_fits(answer: wire.Answer, cell: Cell) -> None:
    """The answer is of its dialect, and says what its upstream said."""
    dialect, row, ask = DIALECTS[cell.dialect], cell.row, cell.scenario.ask
    assert isinstance(row, Row)
    assert not answer.cut
    if isinstance(row.said, Refused):
        assert_refused(answer, row.said, cell)
        return
    assert answer.status == 200, answer.body
    assert answer.headers["x-provider"] == cell.provider
    assert answer.headers.get("x-emulated", "") == row.emulated
    kind = answer.headers["Content-Type"]
    if cell.streamed:
        assert kind.startswith("text/event-stream")
        found = dialect.streamed(answer.body, ask)
    else:
        assert kind.startswith("application/json")
        found = dialect.whole(answer.body, cell.provider)
    assert found == known(dialect.told(row.said, ask, stream=cell.streamed), found)


def known(expected: Answer, found: Answer) -> Answer:
    """What is expected, with the counts that were found where the table does not tell them."""
    if expected.usage is None or found.usage is None:
        return expected
    counts = expected.usage
    if counts.input is None and found.usage.input:
        counts = attrs.evolve(counts, input=found.usage.input)
    if counts.output is None and found.usage.output:
        counts = attrs.evolve(counts, output=found.usage.output)
    return attrs.evolve(expected, usage=counts)


def assert_refused(answer: wire.Answer, refused: Refused, cell: Cell) -> None:
    """An error that says what it is about, in the client's dialect."""
    assert answer.status == refused.status
    assert answer.headers["Content-Type"].startswith("application/json")
    if cell.dialect == "messages":
        value = orjson.loads(answer.body)
        assert value.keys() == {"type", "error", "request_id"}
        assert value["error"]["type"] == "invalid_request_error"
        assert refused.named in value["error"]["message"]
    else:
        error = answer.error()
        assert (error["type"], error["code"]) == ("invalid_request_error", refused.code)
        assert refused.named in error["message"]
