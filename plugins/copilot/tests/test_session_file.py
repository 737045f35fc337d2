"""The file with the session: read once for each of its states."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from g4f_aio_copilot import session_file
from g4f_aio_copilot.session import SessionError
from g4f_aio_copilot.session_file import SessionFile

HOST = "copilot.microsoft.com"


def write(path: Path, value: str) -> Path:
    path.write_text(json.dumps({"a": value}), "utf-8")
    return path


def test_a_file_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    path, file = write(tmp_path / "cookies.json", "1"), SessionFile()
    first = file.load(path, HOST)
    assert first.cookies == {"a": "1"}
    assert file.load(path, HOST) is first
    write(path, "2")
    os.utime(path, ns=(1, 1))
    assert file.load(path, HOST).cookies == {"a": "2"}
    assert file.load(path, "other.example").cookies == {"a": "2"}
    other = write(tmp_path / "other.json", "3")
    assert file.load(other, HOST).cookies == {"a": "3"}


def test_a_file_that_goes_bad_is_not_remembered(tmp_path: Path) -> None:
    path, file = write(tmp_path / "cookies.json", "1"), SessionFile()
    file.load(path, HOST)
    path.write_text("no json", "utf-8")
    for _ in range(2):
        with pytest.raises(SessionError, match=r"^is no JSON$"):
            file.load(path, HOST)
    path.unlink()
    with pytest.raises(SessionError, match=r"^does not exist$"):
        file.load(path, HOST)


def test_a_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write(tmp_path / "cookies.json", "1")
    assert SessionFile().load(Path("~/cookies.json"), HOST).cookies == {"a": "1"}


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    for path, said in (
        (tmp_path, "is no file"),
        (tmp_path / ("a" * 300), "cannot be read: File name too long"),
        (Path("~nobody-of-this-name/file"), "cannot be read: its path names no place"),
    ):
        with pytest.raises(SessionError) as caught:
            SessionFile().load(path, HOST)
        assert str(caught.value) == said


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(SessionError, match=r"^is no file$"):
        SessionFile().load(tmp_path / "pipe", HOST)


def test_a_file_may_be_of_a_certain_size(tmp_path: Path) -> None:
    path = tmp_path / "huge.har"
    with path.open("wb") as file:
        file.write(b"{")
        file.truncate(session_file.FILE_LIMIT + 1)
    with pytest.raises(SessionError, match=f"has more than {session_file.FILE_LIMIT} bytes"):
        SessionFile().load(path, HOST)
