"""The last requests in memory: found again, bounded in number and size."""

from __future__ import annotations

import attrs
import pytest

from g4f_aio.core.errors import UpstreamError
from g4f_aio.core.events import Usage
from g4f_aio.core.record import Attempt, RequestRecord
from g4f_aio.core.stores import RequestQuery, RequestStore
from g4f_aio.gateway.request_log import ATTEMPTS, LONGEST, RequestLog, fits


def record(name: str = "r", caller: str = "alice", **fields: object) -> RequestRecord:
    """A finished request."""
    made = RequestRecord(name, caller, "openai-chat", "m")
    for key, value in fields.items():
        setattr(made, key, value)
    made.ended()
    return made


async def ids(store: RequestStore, query: RequestQuery) -> list[str]:
    return [kept.record.id for kept in await store.list(query)]


async def test_the_newest_come_first_and_the_oldest_make_room() -> None:
    log = RequestLog(3)
    for name in "abcde":
        log.ended(record(name))
    log.ended(record("f", "bob"))
    assert await ids(log, RequestQuery()) == ["f", "e", "d"]
    assert await ids(log, RequestQuery(caller="alice")) == ["e", "d"]
    assert len(log) == 3


async def test_they_can_be_listed_page_by_page() -> None:
    log = RequestLog(10)
    for name in "abcde":
        log.append(record(name))
    first = await log.list(RequestQuery(limit=2))
    assert [kept.record.id for kept in first] == ["e", "d"]
    log.append(record("f"))
    query = RequestQuery(limit=2, before=first[-1].number)
    assert await ids(log, query) == ["c", "b"]
    assert await ids(log, attrs.evolve(query, before=1)) == []


async def test_one_is_found_by_its_id_and_if_there_are_several_the_newest() -> None:
    log = RequestLog(10)
    for caller, model in (("alice", "first"), ("bob", "second"), ("alice", "third")):
        log.append(record("same", caller, model=model))
    found = await log.get("same")
    assert found is not None
    assert found.record.model == "third"
    of_bob = await log.get("same", "bob")
    assert of_bob is not None
    assert of_bob.record.model == "second"
    assert await log.get("same", "eve") is None
    assert await log.get("other") is None


async def test_nothing_is_kept_where_nothing_may_be() -> None:
    log = RequestLog(0)
    log.ended(record())
    assert await ids(log, RequestQuery()) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (RequestQuery(), True),
        (RequestQuery(caller="alice"), True),
        (RequestQuery(caller="bob"), False),
        (RequestQuery(outcome="ok"), True),
        (RequestQuery(outcome="failed"), False),
        (RequestQuery(since=100.0), True),
        (RequestQuery(since=100.5), False),
        (RequestQuery(model="m"), True),
        (RequestQuery(model="upstream-m"), True),
        (RequestQuery(model="n"), False),
        (RequestQuery(provider="Asked"), True),
        (RequestQuery(provider="WORK"), True),
        (RequestQuery(provider="other"), False),
        (RequestQuery(caller="alice", model="n"), False),
    ],
)
def test_a_query_fits_by_everything_it_names(query: RequestQuery, *, expected: bool) -> None:
    attempts = [Attempt("work", "upstream-m", 0.0)]
    made = record(began=100.0, provider="asked", attempts=attempts)
    assert fits(made, query) is expected


def test_no_provider_fits_none() -> None:
    assert not fits(record(), RequestQuery(provider="work"))


async def kept(made: RequestRecord) -> RequestRecord:
    """What a log makes of it."""
    log = RequestLog(1)
    log.append(made)
    (found,) = await log.list(RequestQuery())
    return found.record


async def test_an_ordinary_one_is_kept_as_it_is() -> None:
    made = record(usage=Usage(1, 2))
    assert await kept(made) is made


async def test_a_large_one_is_cut_down_and_else_the_same() -> None:
    made = record(provider="p" * 5000, streamed=True, cache="miss", pieces=7, ttft=0.5)
    made.model = made.code = "m" * 5000
    made.failed(UpstreamError("e" * 5000))
    made.attempts = [Attempt("work", "m" * 5000, float(at)) for at in range(200)]
    made.attempts[-1].code = "c" * 5000
    found = await kept(made)
    assert found.model == "m" * LONGEST
    assert found.provider == "p" * LONGEST
    assert found.message == "e" * LONGEST
    assert [one.started for one in found.attempts] == [
        200.0 - ATTEMPTS + at for at in range(ATTEMPTS)
    ]
    assert {len(one.model) for one in found.attempts} == {LONGEST}
    assert len(found.attempts[-1].code or "") == LONGEST
    same = {field.name for field in attrs.fields(RequestRecord)}
    for name in same - {"model", "provider", "message", "attempts", "code"}:
        assert getattr(found, name) == getattr(made, name), name
    assert len(made.model) == 5000, "others may want it"


async def test_every_field_survives_being_cut_down() -> None:
    """Also one that is added to records later."""
    made = record(usage=Usage(1, raw={"a": 1}))
    for field in attrs.fields(RequestRecord):
        if field.name not in {"usage", "attempts"}:
            setattr(made, field.name, f"the {field.name}")
    found = await kept(made)
    for field in attrs.fields(RequestRecord):
        if field.name not in {"usage", "attempts"}:
            assert getattr(found, field.name) == f"the {field.name}"


async def test_long_ones_make_room_for_fewer() -> None:
    log = RequestLog(100)
    for name in range(100):
        attempts = [Attempt("work", "m" * 400, 0.0) for _ in range(50)]
        log.append(record(str(name), attempts=attempts))
    assert 5 < len(log) < 20
    assert (await ids(log, RequestQuery()))[0] == "99"
    for name in range(100):
        log.append(record(str(name)))
    assert len(log) == 100
