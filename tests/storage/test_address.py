"""Where the database is."""

from __future__ import annotations

from pathlib import Path

import pytest

from g4f_aio.storage import address as module
from g4f_aio.storage.address import FILE, Address, problem

HERE = Path("/data")


@pytest.mark.parametrize(
    ("setting", "data_dir", "expected"),
    [
        (None, HERE, Address(HERE / FILE)),
        (None, None, Address()),
        ("sqlite://", HERE, Address()),
        ("sqlite:///:memory:", HERE, Address()),
        ("sqlite:///mine.db", HERE, Address(HERE / "mine.db")),
        ("sqlite:////var/mine.db", HERE, Address(Path("/var/mine.db"))),
        ("sqlite:////var/mine.db", None, Address(Path("/var/mine.db"))),
        ("postgresql://host/name", None, Address(url="postgresql://host/name")),
    ],
)
def test_what_a_setting_means(
    setting: str | None, data_dir: Path | None, expected: Address
) -> None:
    assert Address.of(setting, data_dir) == expected
    assert expected.in_memory is (expected == Address())


def test_a_driver_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Address(url="postgresql://host/name").lacking() is None
    monkeypatch.setattr(module, "_DRIVER", "g4f_aio_no_driver")
    assert Address().lacking() is None
    said = Address(url="postgresql://host/name").lacking()
    assert said == "PostgreSQL needs g4f_aio_no_driver: pip install g4f_aio[postgres]"


def test_a_password_does_not_show() -> None:
    address = Address(url="postgresql://me:secret@db.example:5433/name?sslmode=require")
    assert str(address) == "PostgreSQL at db.example:5433"
    assert "secret" not in repr(address)


def test_others_are_named_as_they_are() -> None:
    assert str(Address()) == "memory"
    assert str(Address(HERE / FILE)) == "/data/g4f_aio.sqlite3"


@pytest.mark.parametrize(
    "good",
    [
        "sqlite://",
        "sqlite:///a.db",
        "sqlite:////var/a.db",
        "postgresql://me:p%40ss@[::1]:5432/name?sslmode=require",
        "postgres:///name?host=/run/postgresql",
    ],
)
def test_good_urls(good: str) -> None:
    assert problem(good) is None


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("sqlite://a.db", "sqlite:///file.sqlite3"),
        ("mysql://host/name", "postgresql://"),
        ("/var/a.db", "sqlite:///FILE"),
        ("postgresql:host", "postgresql://"),
        ("http://[", "postgresql://"),
        ("", "postgresql://"),
    ],
)
def test_bad_urls(bad: str, said: str) -> None:
    assert said in str(problem(bad))
