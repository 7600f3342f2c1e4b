"""The order API in FastAPI as fast as its documentation makes it, without any observability.

It uses statements on an asyncpg pool instead of an ORM, orjson, and responses that are returned
directly, which FastAPI neither validates nor converts. The model still validates the request.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import asyncpg
import orjson
from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, Field
from uuid_utils.compat import uuid7

INSERT = "INSERT INTO orders (id, item, quantity, created_at) VALUES ($1, $2, $3, $4)"
SELECT = "SELECT item, quantity, created_at FROM orders WHERE id = $1"
JSON = "application/json"


@asynccontextmanager
async def lifespan(application: FastAPI) -> AsyncIterator[None]:
    """Hold a pool for as long as the worker runs."""
    size = int(os.environ["POOL_SIZE"])
    url = os.environ["DATABASE_URL"]
    async with asyncpg.create_pool(url, min_size=size, max_size=size) as pool:
        application.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


class NewOrder(BaseModel):
    """What a caller sends."""

    item: Annotated[str, Field(min_length=1, max_length=200)]
    quantity: Annotated[int, Field(ge=1, le=1_000_000)]


@app.post("/orders", status_code=201)
async def create_order(new: NewOrder) -> Response:
    """Create an order."""
    key, now = uuid7(), datetime.now(UTC)
    await app.state.pool.execute(INSERT, key, new.item, new.quantity, now)
    order = {"id": key, "item": new.item, "quantity": new.quantity, "created_at": now}
    return Response(orjson.dumps(order), 201, {"Location": f"/orders/{key}"}, JSON)


@app.get("/orders/{order_id}")
async def read_order(order_id: UUID) -> Response:
    """Read an order."""
    row = await app.state.pool.fetchrow(SELECT, order_id)
    if row is None:
        raise HTTPException(404)
    item, quantity, created_at = row
    order = {"id": order_id, "item": item, "quantity": quantity, "created_at": created_at}
    return Response(orjson.dumps(order), media_type=JSON)


@app.get("/livez", response_class=PlainTextResponse)
async def alive() -> str:
    """Say hello."""
    return "Hello, World!"
