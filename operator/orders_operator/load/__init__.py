"""Load on an order service, and what became of each request; a leaf, also used as a library."""
