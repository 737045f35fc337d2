"""Conversations: kept for who holds them, found and forgotten by their names."""

from __future__ import annotations

from typing import Any, ClassVar

import attrs

from g4f_aio.core.events import ConversationState, EventStream, Finish, TextDelta
from g4f_aio.core.provider import CallContext
from g4f_aio.core.requests import ChatRequest
from g4f_aio.settings import KeySettings
from g4f_aio.settings.secret import SecretStr
from tests.server.conftest import QUIET, Start
from tests.server.fakes import HELLO, Record, Script, Server, entry

KEYS = {name: KeySettings(key=SecretStr(name)) for name in ("alice", "bob")}
SAID = {**HELLO, "conversation_id": "c1"}


@attrs.frozen(kw_only=True)
class Remembering(Script):
    """Has conversations of its own, each with a number."""

    name: ClassVar[str] = "remembering"

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        self.record.requests.append(request)
        state = request.states.get(ctx.provider) or {"number": len(self.record.requests)}
        yield ConversationState(state)
        yield TextDelta(f"in {state['number']}")
        yield Finish()


async def text(server: Server, body: dict[str, Any]) -> str:
    answer = await server.chat(body)
    assert answer.status == 200, answer.body
    found: str = answer.json()["choices"][0]["message"]["content"]
    return found


async def test_a_conversation_is_told_of(server: Server) -> None:
    await text(server, SAID)
    answer = await server.get("/v1/conversations/c1")
    found = answer.json()
    assert found.pop("created_at") > 1_600_000_000
    assert found == {"id": "c1", "object": "conversation", "metadata": {}}


async def test_a_conversation_is_forgotten(start: Start) -> None:
    record = Record()
    server = await start(entry(Script(record=record)))
    for _ in range(2):
        await text(server, SAID)
    assert len(record.requests[-1].messages) == 3
    answer = await server.ask("DELETE", "/v1/conversations/c1")
    assert answer.json() == {"id": "c1", "object": "conversation.deleted", "deleted": True}
    for method in ("GET", "DELETE"):
        gone = await server.ask(method, "/v1/conversations/c1")
        assert gone.status == 404
        assert gone.error()["param"] == "conversation_id"
        assert gone.error()["type"] == "invalid_request_error"
    await text(server, SAID)
    assert len(record.requests[-1].messages) == 1


async def test_it_belongs_to_its_key(start: Start) -> None:
    server = await start(settings=attrs.evolve(QUIET, keys=KEYS))
    assert (await server.chat(SAID, headers={"x-api-key": "alice"})).status == 200
    for method in ("GET", "DELETE"):
        answer = await server.ask(method, "/v1/conversations/c1", headers={"x-api-key": "bob"})
        assert answer.status == 404
    answer = await server.get("/v1/conversations/c1", **{"x-api-key": "alice"})
    assert answer.status == 200
    assert (await server.get("/v1/conversations/c1")).status == 401


async def test_odd_names_are_just_not_there(server: Server) -> None:
    for name in ("none", "%00", "a%2Fb", "%F0%9F%98%80", "x" * 2000):
        assert (await server.get(f"/v1/conversations/{name}")).status == 404


async def test_a_provider_goes_on_with_its_own_conversation(start: Start) -> None:
    server = await start(entry(Remembering()))
    said = [await text(server, SAID) for _ in range(2)]
    said.append(await text(server, {**SAID, "conversation_id": "c2"}))
    said.append(await text(server, HELLO))
    said.append(await text(server, SAID))
    assert said == ["in 1", "in 1", "in 3", "in 4", "in 1"]
