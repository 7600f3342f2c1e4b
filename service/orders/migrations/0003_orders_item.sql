-- orders: no-transaction
-- Finds the orders of an item by id. In the collation "C" no library that sorts text otherwise, as
-- that of another operating system may, makes it wrong.
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_item_id ON orders (item COLLATE "C", id);
