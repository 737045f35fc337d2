"""What requests of all dialects say alike."""

from __future__ import annotations

from typing import Any

from .scenarios import PIXEL

IMAGE = f"data:image/png;base64,{PIXEL}"
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"said": {"type": "string"}},
    "required": ["said"],
    "additionalProperties": False,
}


def parameters() -> dict[str, Any]:
    """Those of a tool."""
    return {"type": "object", "properties": {"city": {"type": "string"}}}
