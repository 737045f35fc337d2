"""``g4f-aio api``: the server."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial

from ..serve import run as serve
from ..settings import environment, load


def run(flags: Mapping[str, object], _: Sequence[str]) -> int:
    """Serve until a signal; the exit status."""
    read = partial(load, flags, environment())
    settings = read()
    for warning in settings.warnings:
        sys.stderr.write(f"g4f-aio: {warning}\n")
    return serve(settings, read)
