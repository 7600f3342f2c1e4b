"""Authentication: API keys, bearer tokens, and the gate that asks callers for them."""
