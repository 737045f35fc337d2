"""The settings of the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from g4f_aio.settings import Settings, StorageSettings, address_of, load
from g4f_aio.storage.address import FILE, Address


def test_by_default_it_is_a_file_in_the_data_directory(tmp_path: Path) -> None:
    assert address_of(load({"data_dir": str(tmp_path)}, {})) == Address(tmp_path / FILE)


def test_a_program_without_a_data_directory_keeps_everything_in_memory() -> None:
    assert address_of(Settings()).in_memory


def test_a_url_is_good_by_flag_and_variable(tmp_path: Path) -> None:
    flags = {"data_dir": str(tmp_path), "storage.database": "sqlite:///mine.db"}
    assert address_of(load(flags, {})) == Address(tmp_path / "mine.db")
    environ = {"G4F_DATABASE": "postgresql://host/name", "G4F_DATA_DIR": str(tmp_path)}
    assert address_of(load({}, environ)).url == "postgresql://host/name"


def test_a_password_is_a_secret() -> None:
    settings = Settings(storage=StorageSettings(database="postgresql://me:p%40ss@host/name"))  # type: ignore[arg-type]
    assert {"p%40ss", "p@ss"} <= settings.secrets()
    assert "ss@host" not in repr(settings)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("database", "mysql://x"),
        ("conversation_days", 0),
        ("max_responses", 0),
        ("room_per_key", 0),
    ],
)
def test_what_makes_no_sense_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValueError, match=field):
        StorageSettings(**{field: value})  # type: ignore[arg-type]
