"""The way to what is named by URL, before and after somebody takes it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from g4f_aio.core.errors import BadRequestError
from g4f_aio.files.lazy import LazyFetcher
from g4f_aio.settings import FetchSettings
from tests.conftest import Serve

OFF = FetchSettings(urls=False)


async def test_it_goes_by_the_settings_and_by_others_after_a_reload(serve: Serve) -> None:
    site = await serve({"/": "Hello"})
    fetch = LazyFetcher(OFF)
    with pytest.raises(BadRequestError, match="switched off"):
        await fetch(site.root, limit=100)
    fetch.apply(FetchSettings(allow=(site.root.removeprefix("http://"),)))
    assert (await fetch(f"{site.root}/", limit=100)).data == b'"Hello"'
    fetch.apply(FetchSettings())
    with pytest.raises(BadRequestError, match="no public address"):
        await fetch(f"{site.root}/", limit=100)


def test_nothing_is_loaded_when_the_server_starts() -> None:
    program = "import sys, g4f_aio.app; print('g4f_aio.files.fetch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert found.stdout.strip() == b"False"
