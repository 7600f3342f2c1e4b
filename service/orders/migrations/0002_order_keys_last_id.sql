-- orders: no-transaction
-- Finds keys by the youngest of their orders. Ids rise, so the index grows at its end only.
CREATE INDEX CONCURRENTLY IF NOT EXISTS order_keys_last_id ON order_keys ((ids[cardinality(ids)]));
