-- The id is a UUIDv7 made by the service: it sorts by time and shards, and needs no sequence.
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    item text NOT NULL CHECK (char_length(item) BETWEEN 1 AND 200),
    quantity integer NOT NULL CHECK (quantity BETWEEN 1 AND 1000000),
    created_at timestamptz NOT NULL
);

-- The keys have a table of their own, so that each table can be distributed by its own column.
-- Orders never change, so a replay is read from the orders that have these ids. In the primary key
-- the key comes first: keys differ sooner than subjects, so the index compares less.
CREATE TABLE order_keys (
    subject text NOT NULL DEFAULT '',
    key text NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
    ids uuid[] NOT NULL,
    PRIMARY KEY (key, subject)
);
