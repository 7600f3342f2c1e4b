"""HTTP: the endpoints, the hot path and the cold path that serve them, and the error documents."""
