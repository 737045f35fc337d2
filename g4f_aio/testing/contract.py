"""The contract of a provider, as a test: every fault at once, each with what to do about it."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from ..core.provider import Provider
from ..core.requests import ChatRequest
from ..gateway.plugins import instantiate
from .call import request_for
from .declaration import can_be_called, class_faults, described, instance_faults
from .loop_watch import Block, LoopWatch
from .rehearsal import Rehearsal
from .settings_checks import addressed_to, field_faults, secret_faults
from .task_watch import TaskWatch
from .trials import run_trials
from .upstream import FakeUpstream

#: what is sent as the API key when none is given
CREDENTIAL = "credential-of-the-test-4b1d"
_KIT = Path(__file__).parent


async def check_provider(
    provider: type[Provider] | Provider,
    *,
    upstream: FakeUpstream | None = None,
    request: ChatRequest | str | None = None,
    settings: Mapping[str, object] | None = None,
    credential: str | None = None,
    max_lag: float = 0.1,
    within: float = 10.0,
) -> None:
    """Check that a provider keeps its contract; AssertionError lists every fault.

    Without *upstream* and *request* only the class is looked at. With an *upstream* that answers the
    provider's requests it is called as well, in good and in bad times: its settings that are
    addresses get the upstream's in the place of their host. A *request* alone is for providers that
    need no upstream; a text is the user's message.

    *settings* are those of its table in the settings file, *credential* is its API key. *max_lag* is
    for how many seconds it may keep the event loop from other work, *within* how many seconds one
    call may take.
    """
    found = await find_faults(
        provider,
        upstream=upstream,
        request=request,
        settings=settings or {},
        credential=credential,
        max_lag=max_lag,
        within=within,
    )
    if found:
        cls = provider if isinstance(provider, type) else type(provider)
        count = "one fault" if len(found) == 1 else f"{len(found)} faults"
        raise AssertionError(
            "\n  - ".join((f"the provider {cls.__qualname__} has {count}:", *found))
        )


async def find_faults(
    given: object,
    *,
    upstream: FakeUpstream | None,
    request: ChatRequest | str | None,
    settings: Mapping[str, object],
    credential: str | None,
    max_lag: float,
    within: float,
) -> list[str]:
    """What ``check_provider`` has to say."""
    cls = given if isinstance(given, type) else type(given)
    if not issubclass(cls, Provider):
        return ["it is no provider: derive the class from g4f_aio.Provider"]
    faults = dict.fromkeys((*class_faults(cls), *field_faults(cls)))
    provider = given if isinstance(given, Provider) else _made(cls, settings, faults)
    if provider is None:
        return list(faults)
    about_instance = (*instance_faults(provider), *secret_faults(provider))
    faults.update(dict.fromkeys(about_instance))
    if (upstream is not None or request is not None) and can_be_called(cls):
        called = _prepared(provider, upstream, request, settings, faults)
        if called is not None:
            ours = own_code(cls)
            with LoopWatch(ours, max_lag, within) as loop_watch, TaskWatch() as task_watch:
                rehearsal = Rehearsal(
                    *called,
                    upstream=upstream,
                    credential=None if cls.key == "none" else credential or CREDENTIAL,
                    within=within,
                    tasks=task_watch,
                    place=lambda error: _place(error, ours),
                )
                await run_trials(rehearsal)
            faults.update(rehearsal.faults)
            faults.update(dict.fromkeys(map(_about, worst(loop_watch.blocks))))
    return list(faults)


def _prepared(
    provider: Provider,
    upstream: FakeUpstream | None,
    request: ChatRequest | str | None,
    settings: Mapping[str, object],
    faults: dict[str, None],
) -> tuple[Provider, ChatRequest] | None:
    """The provider in front of the upstream, and what to ask it; None, and a fault, without."""
    if upstream is not None:
        try:
            provider = addressed_to(provider, upstream.url, settings)
        except Exception as error:  # noqa: BLE001  (it may refuse the address in any way)
            faults[
                f"its settings do not take {upstream.url} for an address ({described(error)}): let"
                " them, or pass settings={…} with addresses that it takes"
            ] = None
            return None
    try:
        lack, asked = provider.missing(), request_for(provider, request)
    except Exception:  # noqa: BLE001  (that is a fault which is known by now)
        return None
    if lack:
        faults[f"it cannot be called, for it needs {lack}: pass that as settings={{…}}"] = None
        return None
    return provider, asked


def _made(
    cls: type[Provider], settings: Mapping[str, object], faults: dict[str, None]
) -> Provider | None:
    """An instance, as the gateway makes it of a table in its settings; None when that fails."""
    made = instantiate(cls, dict(settings), "settings")
    if isinstance(made, Provider):
        return made
    if settings or not faults:
        what = "the settings given" if settings else "the defaults of its settings"
        faults[f"{what} make no provider ({'; '.join(made)}): correct them"] = None
    return None


def worst(blocks: Iterable[Block]) -> tuple[Block, ...]:
    """The longest block at each place."""
    found: dict[str, Block] = {}
    for block in sorted(blocks, key=lambda one: one.seconds):
        found[block.where] = block
    return tuple(found.values())


def _about(block: Block) -> str:
    return (
        f"it blocks the event loop for {block.seconds:.1f} s at {block.where}, `{block.line}`:"
        " await something that does not block, or call it with asyncio.to_thread"
    )


def own_code(cls: type[Provider]) -> Callable[[str], bool]:
    """Tells the files of a provider, its bases and their packages from all others."""
    places = set()
    for base in cls.__mro__:
        module: ModuleType | Any = inspect.getmodule(base)
        file = getattr(module, "__file__", None)
        if file is None or base in (Provider, object):
            continue
        depth = module.__name__.count(".")
        is_package = Path(file).name == "__init__.py"
        path = Path(file)
        places.add(
            path.parents[depth if is_package else depth - 1] if depth or is_package else path
        )

    def ours(filename: str) -> bool:
        path = Path(filename)
        if _KIT in path.parents:
            return False
        return any(path == place or place in path.parents for place in places)

    return ours


def _place(error: BaseException, ours: Callable[[str], bool]) -> str:
    """Where in the provider an exception was raised, in brackets; empty when it is unknown."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if ours(frame.filename)]
    return f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""
