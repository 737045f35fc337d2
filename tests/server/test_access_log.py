"""The access log: one line for each request, with no secrets in it."""

from __future__ import annotations

import logging
import re

import pytest
from aiohttp import ClientSession, web

from g4f_aio.server.access_log import AccessLog


async def test_a_line_says_what_was_asked_for_and_what_became_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def teapot(_: web.Request) -> web.Response:
        return web.Response(status=418, text="short and stout")

    app = web.Application()
    app.router.add_get("/tea/{kind}", teapot)
    log = logging.getLogger("test.access")
    runner = web.AppRunner(app, access_log=log, access_log_class=AccessLog)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    with caplog.at_level(logging.INFO, "test.access"):
        async with (
            ClientSession() as session,
            session.get(f"http://127.0.0.1:{port}/tea/a%20b?key=s3cret"),
        ):
            pass
        await runner.cleanup()
    (line,) = [record.getMessage() for record in caplog.records if record.name == "test.access"]
    assert re.fullmatch(r"127\.0\.0\.1 GET /tea/a b: 418, \d+ bytes, 0\.\d{3} s", line)
