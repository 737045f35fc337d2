"""``g4f-aio openapi``."""

from __future__ import annotations

import json
from collections.abc import Callable
from subprocess import CompletedProcess

from g4f_aio import __version__
from g4f_aio.server.openapi import openapi_document


def test_the_document_of_the_server_is_printed_as_json(
    run: Callable[..., CompletedProcess[str]],
) -> None:
    done = run("openapi")
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert document["openapi"].startswith("3.1")
    assert document["info"]["version"] == __version__
    assert "/v1/chat/completions" in document["paths"]
    assert document == json.loads(json.dumps(openapi_document()))


def test_it_does_not_depend_on_the_settings(run: Callable[..., CompletedProcess[str]]) -> None:
    assert run("openapi", settings="[sever]").returncode == 0
