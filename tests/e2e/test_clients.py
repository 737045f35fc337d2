"""Clients for Node and clients that want libraries of their own: the scripts in ``tests/clients``.

They run where somebody installed what they need, as the README there says; elsewhere they are skipped.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from g4f_aio.settings import environment
from tests.e2e.clients import CHAT, CHATTING, EMBEDDINGS, EVERY, KEY, MESSAGES, World
from tests.e2e.gateway import surroundings

SCRIPTS = Path(__file__).parent.parent / "clients"
#: where the libraries are
INSTALLED = Path(environment().get("G4F_CLIENTS", SCRIPTS))
MODULES = INSTALLED / "node_modules"
PYTHON = INSTALLED / "venv" / "bin" / "python"
NODE = shutil.which("node")
MODELS = {
    "chatting": CHATTING,
    "every": EVERY,
    "thinking": (MESSAGES, f"{CHAT}@thinks"),
    "embeddings": EMBEDDINGS,
}


def run(world: World, folder: Path, program: str, script: str) -> None:
    """Run a script, which prints a line for each of its checks."""
    done = subprocess.run(
        [
            program,
            SCRIPTS / script,
            world.gateway.url,
            KEY,
            json.dumps(MODELS),
            world.upstream.root,
        ],
        env=surroundings(folder, {"NODE_PATH": str(MODULES)}),
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines
    assert all(line.startswith("ok ") for line in lines)


@pytest.mark.skipif(NODE is None or not MODULES.exists(), reason="no Node or no clients for it")
@pytest.mark.parametrize("script", ["openai.cjs", "anthropic.cjs", "ai_sdk.cjs"])
def test_for_node(world: World, tmp_path: Path, script: str) -> None:
    assert NODE is not None
    run(world, tmp_path, NODE, script)


@pytest.mark.skipif(not PYTHON.exists(), reason="no clients with libraries of their own")
@pytest.mark.parametrize("script", ["instructor_client.py", "agents_client.py"])
def test_for_python(world: World, tmp_path: Path, script: str) -> None:
    run(world, tmp_path, str(PYTHON), script)
