"""The tables, as the newest of the migrations leaves them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

#: the newest of the migrations
HEAD = "0002"

#: who made a table, index or constraint can name it again
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
#: SQLite counts up what is called INTEGER and nothing else
_NUMBER = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(naming_convention=NAMES)

# Times are Unix time in seconds, sizes are in bytes. JSON is stored as bytes: PostgreSQL's text has no
# NUL, and neither of the databases has a need to look into it.

conversations = Table(
    "conversations",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("used", Double, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False),
    UniqueConstraint("owner", "id", "provider"),
    Index(None, "owner", "used", "size"),
    Index(None, "used"),
    sqlite_autoincrement=True,  # a number never comes again
)

conversation_messages = Table(
    "conversation_messages",
    metadata,
    Column(
        "conversation",
        _NUMBER,
        ForeignKey(conversations.c.number, ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("position", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

conversation_states = Table(
    "conversation_states",
    metadata,
    Column(
        "conversation",
        _NUMBER,
        ForeignKey(conversations.c.number, ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("provider", Text, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

responses = Table(
    "responses",
    metadata,
    Column("number", _NUMBER, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("native", Boolean, nullable=False),
    # without the output, whose items are rows
    Column("body", LargeBinary, nullable=False),
    Column("created", Double, nullable=False),
    Column("used", Double, nullable=False),
    Column("size", BigInteger, nullable=False),
    UniqueConstraint("id", "owner"),
    Index(None, "owner", "used", "size"),
    Index(None, "used"),
    sqlite_autoincrement=True,  # the larger number is the newer response
)

response_items = Table(
    "response_items",
    metadata,
    Column(
        "response",
        _NUMBER,
        ForeignKey(responses.c.number, ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("position", Integer, primary_key=True),
    Column("output", Boolean, nullable=False),
    Column("owner", Text, nullable=False),
    # the SHA-256 of the item's id; ids come from anywhere and may be of any length
    Column("item", LargeBinary(32)),
    Column("data", LargeBinary, nullable=False),
    Index(None, "owner", "item", "response"),
)

#: which of the migrations was the last; no part of the tables that they make
version = Table(
    "g4f_aio_version",
    MetaData(),
    Column("version_num", String(32), primary_key=True),
)
