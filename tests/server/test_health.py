"""/livez and /readyz."""

from __future__ import annotations

from g4f_aio.keys import CURRENT
from tests.server.fakes import Server


async def test_both_say_so_while_all_is_well(server: Server) -> None:
    live = await server.get("/livez")
    ready = await server.get("/readyz")
    assert (live.status, live.json()) == (200, {"status": "ok"})
    assert (ready.status, ready.json()) == (200, {"status": "ready"})


async def test_a_server_that_stops_lives_but_wants_no_requests(server: Server) -> None:
    server.app[CURRENT].draining = True
    assert (await server.get("/livez")).status == 200
    answer = await server.get("/readyz")
    assert answer.status == 503
    assert answer.error()["type"] == "server_error"
    assert answer.headers["retry-after"] == "1"


async def test_a_server_that_stops_closes_its_connections(server: Server) -> None:
    """So that a client's next request goes elsewhere."""
    assert (await server.get("/livez")).headers.get("Connection") is None
    server.app[CURRENT].draining = True
    assert (await server.get("/livez")).headers["Connection"] == "close"
