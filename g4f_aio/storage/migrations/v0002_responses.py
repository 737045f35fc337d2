"""Responses, and their items by their ids."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables of responses."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "responses",
        sa.Column("number", number, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("native", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("used", sa.Double(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_responses"),
        sa.UniqueConstraint("id", "owner", name="uq_responses_id_owner"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_responses_owner_used_size", "responses", ["owner", "used", "size"])
    op.create_index("ix_responses_used", "responses", ["used"])
    op.create_table(
        "response_items",
        sa.Column("response", number, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("output", sa.Boolean(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("item", sa.LargeBinary(32)),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("response", "position", name="pk_response_items"),
        sa.ForeignKeyConstraint(
            ["response"],
            ["responses.number"],
            name="fk_response_items_response",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_response_items_owner_item_response", "response_items", ["owner", "item", "response"]
    )
