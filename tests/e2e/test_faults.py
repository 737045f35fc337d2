"""Every kind of failure, at every moment, streamed or not, with and without others to ask.

The rules: the next provider is asked before the first word and never after it; what is nobody's
fault but the request's is asked of nobody else; nothing is mixed; nothing ends silently; and the
answer tells who was asked. Each cell of the matrix has providers of its own in one gateway, and its
upstreams say who they are: ``a1 a2 a3``.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import Any

import aiohttp
import attrs
import pytest

from tests.conftest import Upstream
from tests.e2e.gateway import running
from tests.e2e.wire import Answer, Attempt, checked, post

#: when the first provider fails, as its client sees it
BEFORE, AFTER, FINAL = "before the first word", "after it", "because of the request"
#: how many cells are asked at one time
CROWD = 16

SETTINGS = """
[routing]
detect_local = false
retries = 0

[upstream]
connect_timeout = 0.8
headers_timeout = 0.8
first_token_timeout = 0.8
stream_timeout = 0.8
timeout = 1.6
"""
CHAIN = """
[models."{cell}"]
providers = [{links}]
"""
PROVIDER = """
[providers.{name}]
type = "openai-compatible"
base_url = "{base_url}"
models = ["not asked for a list"]
"""


@attrs.frozen
class Fault:
    """What the first provider does, and how a client hears of it when there is nobody else.

    *said*: the words that are out by then. *where*: another address than the upstream's.
    """

    model: str
    when: str
    status: int = 502
    type: str = "provider_error"
    code: str | None = "provider_not_working"
    said: str = ""
    where: str = ""
    key: str = ""

    def __str__(self) -> str:
        return self.where or self.model

    @property
    def attempt(self) -> tuple[str, int]:
        """What the answer tells of the call."""
        return self.code or "error", self.status


def late(model: str, when: str = BEFORE, said: str = "", where: str = "") -> Fault:
    """One that takes too long."""
    return Fault(model, when, 504, code="provider_timeout", said=said, where=where)


def wrong(model: str, status: int, code: str | None = None) -> Fault:
    """An answer about the request itself."""
    return Fault(model, FINAL, status, "invalid_request_error", code)


#: streamed or not
ALWAYS = (
    Fault("echo", BEFORE, where="gone"),
    late("echo", where="full"),
    Fault("cut-before-headers", BEFORE),
    Fault("cut-before-headers@reset", BEFORE),
    late("hang-headers"),
    wrong("status-400", 400),
    wrong("status-422", 422),
    wrong("status-404", 404, "model_not_found"),
    Fault("status-401", BEFORE, code="provider_auth_failed"),
    Fault("status-403", BEFORE, code="provider_auth_failed"),
    Fault("echo", BEFORE, code="provider_auth_failed", key="wrong-key"),
    late("status-408"),
    Fault("status-429", BEFORE, 429, "rate_limit_error", "rate_limit_exceeded"),
    Fault("status-500", BEFORE),
    Fault("status-503", BEFORE),
    Fault("html", BEFORE),
    Fault("redirect", BEFORE),
    Fault("error-first", BEFORE),
)
#: an answer in one piece
WHOLE = (
    Fault("malformed", BEFORE),
    Fault("cut-mid-event", BEFORE),
    Fault("cut-mid-event@reset", BEFORE),
    late("hang-mid"),
)
#: a stream, by the moment: before its first word, in the middle of it, after it, at its end
STREAMED = (
    Fault("cut-before-token", BEFORE),
    Fault("cut-before-token@reset", BEFORE),
    Fault("cut-before-token@eof", BEFORE),
    late("hang-token"),
    late("comments-only"),
    Fault("ends-mid@at-0", BEFORE),
    Fault("cut-mid-event@at-0", BEFORE),
    Fault("cut-mid-event@at-0@reset", BEFORE),
    Fault("cut-mid-event@at-0@eof", BEFORE),
    Fault("malformed@at-0", BEFORE),
    Fault("error-in-stream@at-0", BEFORE),
    Fault("bad-chunk@at-0", BEFORE),
    late("hang-mid@at-0"),
    Fault("cut-between-events@at-1", AFTER, said="a1"),
    Fault("cut-between-events@at-1@reset", AFTER, said="a1"),
    Fault("cut-between-events@at-1@eof", AFTER, said="a1"),
    Fault("ends-mid@at-1", AFTER, said="a1"),
    Fault("malformed@at-1", AFTER, said="a1"),
    Fault("error-in-stream@at-1", AFTER, said="a1"),
    Fault("bad-chunk@at-1", AFTER, said="a1"),
    late("hang-mid@at-1", AFTER, said="a1"),
    Fault("cut-mid-event", AFTER, said="a1 a2"),
    Fault("cut-mid-event@reset", AFTER, said="a1 a2"),
    Fault("cut-mid-event@eof", AFTER, said="a1 a2"),
    Fault("ends-mid", AFTER, said="a1 a2"),
    Fault("cut-after-finish", AFTER, said="a1 a2 a3"),
    # thoughts and tool calls are words too
    Fault("cut-between-events@at-0@thinks", AFTER),
    Fault("cut-between-events@at-0@calls", AFTER),
    late("hang-mid@at-0@thinks", AFTER),
    late("hang-mid@at-0@calls", AFTER),
)
#: who comes after the first provider
CREWS: dict[str, tuple[str, ...]] = {
    "alone": (),
    "the second answers": ("words-3",),
    "the third answers": ("status-500", "words-3"),
    "nobody answers": ("status-500", "status-503"),
}


@attrs.frozen
class Cell:
    """A cell of the matrix."""

    number: int
    fault: Fault
    crew: str
    streamed: bool

    def __str__(self) -> str:
        return f"{self.fault}-{self.crew}-{'streamed' if self.streamed else 'whole'}"

    @property
    def members(self) -> list[tuple[str, str]]:
        """Name and model of each provider."""
        models = (self.fault.model, *CREWS[self.crew])
        return [
            (f"{voice}{self.number}", f"{model}@says-{voice}@{self.number}")
            for voice, model in zip("abc", models, strict=False)
        ]

    @property
    def name(self) -> str:
        """The model that clients ask for."""
        return f"cell {self.number}"

    @property
    def expected_calls(self) -> list[int]:
        """How often each provider's upstream is called."""
        first = 0 if self.fault.where else 1
        others = len(self.members) - 1
        return [first, *([1] if self.fault.when == BEFORE else [0]) * others]

    @property
    def answered_by(self) -> str | None:
        """The voice of who answers in the end."""
        if self.fault.when != BEFORE or CREWS[self.crew][-1:] != ("words-3",):
            return None
        return "abc"[len(CREWS[self.crew])]

    def expected_attempts(self) -> list[Attempt]:
        """What the answer tells of who was called."""
        calls = [Attempt(f"{name}/{model}") for name, model in self.members]
        first = attrs.evolve(calls[0], error=self.fault.attempt[0], status=self.fault.attempt[1])
        match self.fault.when:
            case "after it":
                return calls[:1]  # it was told before the failure
            case "because of the request":
                return [first]
            case _:
                failed = [
                    attrs.evolve(one, error="provider_not_working", status=502) for one in calls[1:]
                ]
                if self.answered_by is not None:
                    failed[-1:] = calls[-1:]
                return [first, *failed]


KINDS = [
    *((fault, streamed) for fault in ALWAYS for streamed in (False, True)),
    *((fault, False) for fault in WHOLE),
    *((fault, True) for fault in STREAMED),
]
CELLS = [
    Cell(number, fault, crew, streamed)
    for number, (fault, streamed, crew) in enumerate(
        (fault, streamed, crew) for fault, streamed in KINDS for crew in CREWS
    )
]


@attrs.frozen
class Outcome:
    """What came of a request, and how often each model was asked for at the upstream."""

    answer: Answer
    calls: Counter[str]


def settings_for(cells: list[Cell], upstream: Upstream) -> str:
    """Settings with a chain for each cell."""
    settings = SETTINGS
    places = {"": upstream.base_url, "full": upstream.full, "gone": "http://127.0.0.1:9/v1"}
    for cell in cells:
        links = []
        for at, (name, model) in enumerate(cell.members):
            where = places[cell.fault.where if at == 0 else ""]
            settings += PROVIDER.format(name=name, base_url=where)
            if cell.fault.key and at == 0:
                settings += f'api_key = "{cell.fault.key}"\n'
            links.append(f'{{ provider = "{name}", model = "{model}" }}')
        settings += CHAIN.format(cell=cell.name, links=", ".join(links))
    return settings


async def ask_all(url: str, cells: list[Cell]) -> dict[Cell, Answer]:
    """The answers to a request for each cell, many at one time."""
    room = asyncio.Semaphore(CROWD)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as client:

        async def ask(cell: Cell) -> tuple[Cell, Answer]:
            async with room:
                return cell, await post(client, url, cell.name, stream=cell.streamed)

        return dict(await asyncio.gather(*map(ask, cells)))


@pytest.fixture(scope="module")
def outcomes(
    upstream_process: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> dict[Cell, Outcome]:
    """The whole matrix, at once."""
    upstream_process.forget()
    settings = settings_for(CELLS, upstream_process)
    with running(tmp_path_factory.mktemp("faults"), settings) as gateway:
        answers = asyncio.run(ask_all(gateway.chat, CELLS))
    calls = counted(upstream_process.fetch_records())
    return {cell: Outcome(answer, calls) for cell, answer in answers.items()}


def counted(records: list[dict[str, Any]]) -> Counter[str]:
    """How often each model was asked for.

    A connection that was idle and is closed without a byte had been closed before the request came;
    it goes out once more, on a new one. Only that one counts.
    """
    calls: Counter[str] = Counter()
    known = set()
    for one in records:
        model, connection = one["body"]["model"], one["connection"]
        if not (model.startswith("cut-before-headers") and connection in known):
            calls[model] += 1
        known.add(connection)
    return calls


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_failure_is_what_it_should_be(outcomes: dict[Cell, Outcome], cell: Cell) -> None:
    answer, calls = outcomes[cell].answer, outcomes[cell].calls
    fault = cell.fault
    assert [calls[model] for _, model in cell.members] == cell.expected_calls
    assert answer.attempts == cell.expected_attempts()
    assert not answer.cut, "HTTP's own end is in order"
    body = answer.body.decode()
    if cell.answered_by is not None:
        voice = cell.answered_by
        assert answer.status == 200
        assert answer.headers["x-provider"] == f"{voice}{cell.number}"
        assert spoken(cell, answer) == f"{voice}1 {voice}2 {voice}3"
        assert voices(body) == {voice}
        assert "error" not in body
    elif fault.when == AFTER:
        assert answer.status == 200
        assert answer.headers["x-provider"] == f"a{cell.number}"
        assert answer.text() == fault.said
        assert voices(body) == ({"a"} if fault.said else set())
        assert "[DONE]" not in answer.data()
        last = answer.chunks()[-1]
        assert set(last) == {"error"}
        assert_fits(checked(last["error"]), fault, f"a{cell.number}")
    else:
        last_one = cell.members[-1][0] if fault.when == BEFORE else f"a{cell.number}"
        if fault.when == BEFORE and len(cell.members) > 1:
            fault = Fault("status-503", BEFORE)
        assert answer.status == fault.status
        assert answer.headers["Content-Type"].startswith("application/json")
        assert answer.headers["x-provider"] == last_one
        assert_fits(answer.error(), fault, last_one)
        assert voices(body) == set()


def spoken(cell: Cell, answer: Answer) -> str:
    """The text of an answer that came to its proper end."""
    if cell.streamed:
        assert answer.done
        roles = [chunk["choices"][0]["delta"] for chunk in answer.chunks() if chunk["choices"]]
        assert ["role" in delta for delta in roles].count(True) == 1
        return answer.text()
    choice = answer.json()["choices"][0]
    assert choice["finish_reason"] == "stop"
    content: str = choice["message"]["content"]
    return content


def voices(body: str) -> set[str]:
    """Who is to be heard in an answer."""
    return set(re.findall(r'"(?:content|reasoning_content)": ?" ?([abc])[123]', body))


def assert_fits(error: dict[str, object], fault: Fault, provider: str) -> None:
    """The error object says what happened, and to whom."""
    assert (error["type"], error["code"]) == (fault.type, fault.code), error
    assert provider in str(error["message"])
