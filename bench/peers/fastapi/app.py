"""The order API in FastAPI, wired by hand as its users wire it for production.

SQLAlchemy's async ORM on asyncpg with a pool of POOL_SIZE, Prometheus metrics, JSON logs with
trace ids, and FastAPI's own OpenTelemetry, which costs less than the instrumentation package;
spans are not sampled, as in the service while no exporter is configured.
"""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.responses import PlainTextResponse
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from prometheus_fastapi_instrumentator import Instrumentator
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import DateTime
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from uuid_utils.compat import uuid7

trace.set_tracer_provider(TracerProvider(sampler=ALWAYS_OFF))
url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://", 1)
engine = create_async_engine(url, pool_size=int(os.environ["POOL_SIZE"]), max_overflow=0)
sessions = async_sessionmaker(engine, expire_on_commit=False)
app = FastAPI(telemetry={"metrics": False, "logs": False})


class Base(DeclarativeBase):
    """SQLAlchemy's registry of tables."""


class OrderRow(Base):
    """The table `orders`."""

    __tablename__ = "orders"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    item: Mapped[str]
    quantity: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class NewOrder(BaseModel):
    """What a caller sends."""

    item: Annotated[str, Field(min_length=1, max_length=200)]
    quantity: Annotated[int, Field(ge=1, le=1_000_000)]


class Order(NewOrder):
    """What is answered."""

    model_config = ConfigDict(from_attributes=True)
    id: UUID
    created_at: datetime


async def open_session() -> AsyncIterator[AsyncSession]:
    """Open a session for one request."""
    async with sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(open_session)]


@app.post("/orders", status_code=201)
async def create_order(new: NewOrder, session: Session, response: Response) -> Order:
    """Create an order."""
    now = datetime.now(UTC)
    row = OrderRow(id=uuid7(), item=new.item, quantity=new.quantity, created_at=now)
    session.add(row)
    await session.commit()
    response.headers["Location"] = f"/orders/{row.id}"
    return Order.model_validate(row)


@app.get("/orders/{order_id}")
async def read_order(order_id: UUID, session: Session) -> Order:
    """Read an order."""
    row = await session.get(OrderRow, order_id)
    if row is None:
        raise HTTPException(404)
    return Order.model_validate(row)


@app.get("/livez", response_class=PlainTextResponse)
async def alive() -> str:
    """Say hello."""
    return "Hello, World!"


Instrumentator().instrument(app).expose(app)
