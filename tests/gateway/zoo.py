"""Somebody else's providers that harm others, as the source of a distribution's one module."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from g4f_aio.core.events import EventStream
from g4f_aio.core.provider import Provider
from g4f_aio.core.requests import ChatRequest
from g4f_aio.gateway.plugins import find_plugins, instantiate, load_class

#: each does what it does for the seconds, or as often, as the request's model says
SOURCE = '''
    import asyncio
    import importlib
    import threading
    import time

    import attrs

    from g4f_aio import Finish, Provider, TextDelta

    go_on = threading.Event()
    kept = []

    def slow(seconds):
        time.sleep(seconds)

    async def endless():
        await asyncio.sleep(3600)

    async def deaf(times):
        for _ in range(times):
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                pass

    @attrs.frozen(kw_only=True)
    class Sleeps(Provider):
        name = "sleeps"

        async def chat(self, request, ctx):
            token = "sk-local-4711"
            slow(float(request.model))
            yield TextDelta(token)
            yield Finish()

    @attrs.frozen(kw_only=True)
    class Hogs(Provider):
        name = "hogs"

        async def chat(self, request, ctx):
            """Let no other thread run Python code."""
            sum(range(int(request.model) * 10**7))
            yield Finish()

    @attrs.frozen(kw_only=True)
    class Waits(Provider):
        name = "waits"

        async def chat(self, request, ctx):
            go_on.wait(float(request.model))
            yield Finish()

    @attrs.frozen(kw_only=True)
    class Imports(Provider):
        name = "imports"

        async def chat(self, request, ctx):
            importlib.import_module(request.model)
            yield Finish()

    @attrs.frozen(kw_only=True)
    class Leaks(Provider):
        name = "leaks"

        async def chat(self, request, ctx):
            for _ in range(int(request.model)):
                kept.append(asyncio.create_task(endless()))
            await asyncio.sleep(0)
            yield Finish()

    @attrs.frozen(kw_only=True)
    class Deaf(Provider):
        name = "deaf"

        async def chat(self, request, ctx):
            kept.append(asyncio.create_task(deaf(int(request.model))))
            await asyncio.sleep(0)
            yield Finish()

    @attrs.frozen(kw_only=True)
    class Floods(Provider):
        name = "floods"

        async def chat(self, request, ctx):
            while True:
                yield TextDelta(1000 * request.model)
'''
PROVIDERS = {
    "sleeps": "Sleeps",
    "hogs": "Hogs",
    "waits": "Waits",
    "imports": "Imports",
    "leaks": "Leaks",
    "deaf": "Deaf",
    "floods": "Floods",
}


def distribute(folder: Path) -> None:
    """Lay them into a folder for the path of another process."""
    metadata = folder / "zoo-1.0.dist-info"
    metadata.mkdir(parents=True)
    (folder / "zoo.py").write_text(textwrap.dedent(SOURCE), "utf-8")
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: zoo\nVersion: 1.0\n", "utf-8")
    points = "".join(f"{name} = zoo:{cls}\n" for name, cls in PROVIDERS.items())
    (metadata / "entry_points.txt").write_text(f"[g4f.providers]\n{points}", "utf-8")


def populate(install: Callable[..., None]) -> dict[str, Provider]:
    """Install them, and load them as the gateway does."""
    install("zoo", SOURCE, **PROVIDERS)
    found = find_plugins()
    animals = {}
    for name in PROVIDERS:
        cls = load_class(found[name])
        assert not isinstance(cls, str), cls
        animal = instantiate(cls, {}, name)
        assert isinstance(animal, Provider), animal
        animals[name] = animal
    return animals


def ask(animal: Provider, what: str) -> EventStream:
    """The events of a call."""
    context: Any = None
    return animal.chat(ChatRequest(what, ()), context)
