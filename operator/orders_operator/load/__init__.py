"""Makes load on an order service and reports what became of each request; also a library."""
