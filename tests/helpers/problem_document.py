"""What a caller finds in a problem document."""

import httpx


def problem(answer: httpx.Response) -> str:
    """Check that the answer is a whole problem document; return the problem's name."""
    document = answer.json()
    assert "application/problem+json" == answer.headers["content-type"]
    assert answer.status_code == document["status"]
    assert answer.headers["x-correlation-id"] == document["trace_id"]
    prefix, _, name = document["type"].rpartition("/")
    assert "https://orders.dev/problems" == prefix
    return str(name)


def pointers(answer: httpx.Response) -> list[str]:
    """Check that the answer is about validation; return where it points."""
    assert "invalid-request" == problem(answer)
    assert 400 == answer.status_code
    return [error["pointer"] for error in answer.json()["errors"]]
