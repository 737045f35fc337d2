"""Somebody else's provider, as if it were installed where a gateway runs."""

from __future__ import annotations

import textwrap
from pathlib import Path


def installed(folder: Path, name: str, source: str) -> dict[str, str]:
    """The environment of a gateway that has the plug-in: a class ``Plugin`` under that *name*."""
    module = name.replace("-", "_")
    metadata = folder / "plugin" / f"{module}-1.0.dist-info"
    metadata.mkdir(parents=True)
    (folder / "plugin" / f"{module}.py").write_text(textwrap.dedent(source), "utf-8")
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8"
    )
    points = f"[g4f.providers]\n{name} = {module}:Plugin\n"
    (metadata / "entry_points.txt").write_text(points, "utf-8")
    return {"PYTHONPATH": str(folder / "plugin")}
