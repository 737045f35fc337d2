"""Conversations: their messages, and the states of providers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables of conversations."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "conversations",
        sa.Column("number", number, nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("created", sa.Double(), nullable=False),
        sa.Column("used", sa.Double(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_conversations"),
        sa.UniqueConstraint("owner", "id", "provider", name="uq_conversations_owner_id_provider"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_conversations_owner_used_size", "conversations", ["owner", "used", "size"])
    op.create_index("ix_conversations_used", "conversations", ["used"])
    for name, column in (
        ("conversation_messages", sa.Column("position", sa.Integer(), nullable=False)),
        ("conversation_states", sa.Column("provider", sa.Text(), nullable=False)),
    ):
        op.create_table(
            name,
            sa.Column("conversation", number, nullable=False),
            column,
            sa.Column("data", sa.LargeBinary(), nullable=False),
            sa.PrimaryKeyConstraint("conversation", column.name, name=f"pk_{name}"),
            sa.ForeignKeyConstraint(
                ["conversation"],
                ["conversations.number"],
                name=f"fk_{name}_conversation",
                ondelete="CASCADE",
            ),
        )
