"""Plug-ins as pip leaves them: a module and its metadata in a folder on the path."""

from __future__ import annotations

import importlib
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution: its *source* as one module, its providers as ``name=Class``."""
    modules = []

    def install(distribution: str, source: str, version: str = "1.0", /, **providers: str) -> None:
        folder = tmp_path / distribution
        module = distribution.replace("-", "_")
        metadata = folder / f"{module}-{version}.dist-info"
        metadata.mkdir(parents=True)
        (folder / f"{module}.py").write_text(textwrap.dedent(source), "utf-8")
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n", "utf-8"
        )
        points = "".join(f"{name} = {module}:{cls}\n" for name, cls in providers.items())
        (metadata / "entry_points.txt").write_text(f"[g4f.providers]\n{points}", "utf-8")
        monkeypatch.syspath_prepend(folder)
        importlib.invalidate_caches()
        modules.append(module)

    yield install
    for module in modules:
        sys.modules.pop(module, None)
