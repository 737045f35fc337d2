"""Migrations, by Alembic. It is imported only where there is something to migrate."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.runtime.migration import MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from .schema import SchemaError
from .tables import version

FOLDER = Path(__file__).with_name("migrations")


def history(folder: Path = FOLDER) -> ScriptDirectory:
    """All migrations in *folder*, read from the disk."""
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("version_locations", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    script = ScriptDirectory.from_config(config)
    script.get_current_head()  # this is what reads them
    return script


def check(script: ScriptDirectory, found: str | None) -> None:
    """SchemaError unless the tables are as one of the migrations left them."""
    if not any(one.revision == found for one in script.walk_revisions()):
        raise SchemaError(
            f"it is of a newer version: its tables are at {found!r}, and this one knows them up to"
            f" {script.get_current_head()!r}; update g4f_aio"
        )


def upgrade(connection: Connection, script: ScriptDirectory, target: str = "head") -> None:
    """Run what is missing up to *target*, as a part of the transaction of *connection*."""

    def steps(current: tuple[str, ...], _: MigrationContext) -> list[MigrationStep]:
        missing = [*script.iterate_revisions(target, current)]
        return [
            MigrationStep.upgrade_from_script(script.revision_map, one) for one in reversed(missing)
        ]

    context = MigrationContext.configure(
        connection, opts={"version_table": version.name, "fn": steps}
    )
    with Operations.context(context):
        context.run_migrations()
