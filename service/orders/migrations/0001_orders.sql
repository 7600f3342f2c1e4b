-- Orders never change, so the replay of an Idempotency-Key is read from the order's own row.
-- The id is a UUIDv7 made by the service: it sorts by time and shards, and needs no sequence.
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    item text NOT NULL CHECK (char_length(item) BETWEEN 1 AND 200),
    quantity integer NOT NULL CHECK (quantity BETWEEN 1 AND 1000000),
    created_at timestamptz NOT NULL,
    idempotency_key text CHECK (char_length(idempotency_key) BETWEEN 1 AND 255)
);

CREATE UNIQUE INDEX orders_idempotency_key ON orders (idempotency_key) WHERE idempotency_key IS NOT NULL;
