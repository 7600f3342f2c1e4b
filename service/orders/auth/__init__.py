"""Who calls, and what they may: API keys, bearer tokens, and the gate that asks for them."""
