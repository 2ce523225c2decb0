"""An app with conversations: its own database, and the kinds of operations that it registers."""

from __future__ import annotations

import asyncio
from typing import Any

import pydantic
from sqlalchemy import Column, Integer, MetaData, Table, Text, create_engine, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.pool import StaticPool

from persistence import Applier, Engine, Ledger, Operation, Submitted, Target, applier
from persistence.operations import operation_id

metadata = MetaData()
messages = Table(
    "messages",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("conversation", Text),
    Column("author", Text),
    Column("text", Text),
)
canvases = Table("canvases", metadata, Column("id", Text, primary_key=True), Column("scene", Text))
ledger = Ledger(metadata)


class NewMessage(pydantic.BaseModel):
    text: str = pydantic.Field(min_length=1, max_length=50)
    image: str | None = None


class Scene(pydantic.BaseModel):
    scene: str


class Away(Exception):
    """The app's own word for a database that is away."""


class Conversations:
    """The app. `add` and `put` are what it registers."""

    def __init__(self) -> None:
        self.database = create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        metadata.create_all(self.database)
        self.slow = 0.0
        self.fails: list[BaseException] = []
        self.runs = 0
        self.is_once = True

    @property
    def add(self) -> Applier[NewMessage]:
        @applier(NewMessage, passing=(Away,))
        async def add(submitted: Submitted[NewMessage]) -> None:
            self.runs += 1
            await asyncio.sleep(self.slow)
            if self.fails:
                raise self.fails.pop(0)
            with self.database.begin() as connection:
                if self.is_once and not ledger.once(connection, submitted):
                    return
                row = {
                    "conversation": submitted.target.owner,
                    "author": submitted.actor,
                    "text": submitted.payload.text,
                }
                connection.execute(messages.insert().values(row))

        return add

    @property
    def put(self) -> Applier[Scene]:
        @applier(Scene, order="newest")
        def put(submitted: Submitted[Scene]) -> None:
            with self.database.begin() as connection:
                if ledger.once(connection, submitted):
                    row = {"id": submitted.target.owner, "scene": submitted.payload.scene}
                    put = insert(canvases).values(row)
                    connection.execute(
                        put.on_conflict_do_update(
                            index_elements=["id"], set_={"scene": put.excluded.scene}
                        )
                    )

        return put

    def register(self, engine: Engine) -> Engine:
        engine.appliers.register("message.add", self.add)
        engine.appliers.register("canvas.put", self.put)
        return engine

    def texts(self, conversation: str = "c1") -> list[str]:
        with self.database.connect() as connection:
            chosen = messages.c.conversation == conversation
            rows = connection.execute(
                select(messages.c.text).where(chosen).order_by(messages.c.number)
            )
            return [text for (text,) in rows]

    def scene(self, canvas: str = "v1") -> str:
        with self.database.connect() as connection:
            return connection.execute(
                select(canvases.c.scene).where(canvases.c.id == canvas)
            ).scalar_one()

    def applied(self) -> list[tuple[str, str]]:
        with self.database.connect() as connection:
            columns = (ledger.applied.c.id, ledger.applied.c.outcome)
            return [(name, outcome) for name, outcome in connection.execute(select(*columns))]


def said(
    seq: int, text: str, *, to: str = "c1", base: int = 0, client: str = "tab", **others: Any
) -> Operation:
    """What a page sends for a message."""
    known: dict[str, Any] = {"kind": "message.add", "value": {"text": text}, **others}
    target = Target("conversation", to, "")
    return Operation(operation_id(client, seq), client, seq, target, "", base=base, **known)


def drawn(seq: int, scene: str, *, client: str = "tab") -> Operation:
    target = Target("canvas", "v1", "")
    value = {"scene": scene}
    return Operation(operation_id(client, seq), client, seq, target, "", "canvas.put", value)
