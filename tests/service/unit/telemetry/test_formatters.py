"""Lines of the log: JSON that parses, text that is harmless, whatever a caller sends."""

import json
import logging
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.telemetry.context import TraceContext, current
from orders.telemetry.formatters import SHOWN, JsonFormatter, Record, TextFormatter
from orders_common.masking import Secrets

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

anything = st.text(st.characters(codec=None))


def access(
    path: str = "/orders/7", problem: str | None = None, at: float = 1.5, **caller: str | None
) -> Record:
    """Make the record of a request; `caller` is its connection, forwarded and agent."""
    return Record(
        at,
        "GET",
        path,
        "/orders/{id}",
        200,
        0.00125,
        TRACE,
        SPAN,
        problem,
        sampled=False,
        connection=caller.get("connection") or "192.0.2.1:5000",
        forwarded=caller.get("forwarded"),
        agent=caller.get("agent"),
    )


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    """Make a record of the log."""
    made = logging.LogRecord("orders.x", logging.WARNING, __file__, 1, message, arguments, None)
    vars(made).update(extra)
    return made


def failure(text: str) -> logging.LogRecord:
    """Make a record with a traceback."""
    try:
        raise ValueError(text)  # noqa: TRY301  it is wanted here
    except ValueError:
        return logging.LogRecord(
            "orders.x", logging.ERROR, __file__, 1, "it failed", (), sys.exc_info()
        )


def one_line(line: bytes) -> str:
    """Check that it is one line; return it without its end."""
    assert line.endswith(b"\n")
    assert 1 == line.count(b"\n")
    return line.decode()[:-1]


def test_an_access_line_has_the_request() -> None:
    """Every fact of the request has a field of its own; the time is RFC 3339 in UTC."""
    expected = {
        "time": "1970-01-01T00:00:01.500Z",
        "level": "INFO",
        "logger": "orders.access",
        "message": "GET /orders/{id} 200",
        "method": "GET",
        "path": "/orders/7",
        "route": "/orders/{id}",
        "status": 200,
        "duration_ms": 1.25,
        "client": "192.0.2.1",
        "trace_id": TRACE,
        "span_id": SPAN,
    }

    assert expected == json.loads(one_line(JsonFormatter().access([access()])))


@pytest.mark.parametrize(
    ("problem", "level"),
    [("order-not-found", "INFO"), ("overloaded", "INFO"), ("internal", "ERROR")],
)
def test_only_a_defect_is_an_error(problem: str, level: str) -> None:
    """What the caller did, or the load, is no error of ours."""
    found = json.loads(JsonFormatter().access([access(problem=problem)]))

    assert (problem, level) == (found["problem"], found["level"])


@given(anything)
def test_any_path_is_valid_json(path: str) -> None:
    """The path comes back as it was, without what is not Unicode and beyond a bound."""
    found = json.loads(one_line(JsonFormatter().access([access(path)])))
    expected = path[:SHOWN].encode("utf-8", "replace").decode()

    assert expected == found["path"]
    assert "/orders/{id}" == found["route"]


def test_a_long_path_is_cut() -> None:
    """A caller cannot fill the log with one request."""
    found = json.loads(JsonFormatter().access([access("/" + "a" * 10_000)]))

    assert SHOWN == len(found["path"])


@pytest.mark.parametrize(
    ("connection", "forwarded", "client", "peer"),
    [
        ("192.0.2.1:5000", None, "192.0.2.1", None),
        ("[2001:db8::1]:5000", None, "2001:db8::1", None),
        ("[::ffff:192.0.2.1]:5000", None, "192.0.2.1", None),
        ("10.0.0.1:5000", "192.0.2.1, 10.0.0.2", "192.0.2.1", "10.0.0.1"),
        ("10.0.0.1:5000", "192.0.2.1:4711", "192.0.2.1", "10.0.0.1"),
        ("10.0.0.1:5000", '"[2001:db8::1]:4711"', "2001:db8::1", "10.0.0.1"),
        ("10.0.0.1:5000", "10.0.0.1", "10.0.0.1", None),
        ("10.0.0.1:5000", "unknown", "10.0.0.1", None),
        ("10.0.0.1:5000", '","admin":"yes', "10.0.0.1", None),
        ("10.0.0.1:5000", "192.0.2.1, " * 1000, "10.0.0.1", None),
    ],
)
def test_an_access_line_has_the_caller(
    connection: str, forwarded: str | None, client: str, peer: str | None
) -> None:
    """Its address, as the first proxy says; then the connection's, too. Only an address is one."""
    record = access(connection=connection, forwarded=forwarded)
    found = json.loads(one_line(JsonFormatter().access([record])))

    assert (client, peer) == (found["client"], found.get("peer"))
    assert "admin" not in found


@given(anything.filter(lambda text: len(text) < 256))
def test_any_user_agent_is_valid_json(agent: str) -> None:
    """It comes back as it was, without what is not Unicode."""
    found = json.loads(one_line(JsonFormatter().access([access(agent=agent)])))

    assert agent.encode("utf-8", "replace").decode() == found["user_agent"]


def test_a_long_user_agent_is_cut() -> None:
    """A caller cannot fill the log, or the memory, with it."""
    found = json.loads(JsonFormatter().access([access(agent="a" * 10_000)]))

    assert 256 == len(found["user_agent"])


@given(anything, st.text(), anything)
def test_any_event_is_valid_json(message: str, argument: str, extra: str) -> None:
    """Messages, arguments and extra fields may be any text."""
    line = JsonFormatter().event(record(message.replace("%", "%%") + "%s", argument, order=extra))
    found = json.loads(one_line(line))

    assert (message + argument).encode("utf-8", "replace").decode() == found["message"]
    assert extra.encode("utf-8", "replace").decode() == found["order"]
    assert ("WARNING", "orders.x") == (found["level"], found["logger"])


def test_an_event_has_the_ids_of_its_request() -> None:
    """Inside a request there are trace and span ids, outside there are none."""
    token = current.set(TraceContext(TRACE, SPAN))
    inside = json.loads(JsonFormatter().event(record("m")))
    current.reset(token)
    outside = json.loads(JsonFormatter().event(record("m")))

    assert (TRACE, SPAN) == (inside["trace_id"], inside["span_id"])
    assert "trace_id" not in outside


def test_an_exception_is_one_field() -> None:
    """The traceback is in the line, and the line is one."""
    found = json.loads(one_line(JsonFormatter().event(failure("broken \ud800\n"))))

    assert "it failed" == found["message"]
    assert found["exception"].startswith("Traceback (most recent call last):\n")
    assert "ValueError: broken ?" in found["exception"]


@given(anything)
def test_a_path_cannot_steer_the_terminal(path: str) -> None:
    """Text for people is one line without control characters, whatever was asked for."""
    line = one_line(TextFormatter(colour=False).access([access(path)]))

    assert line.isprintable()


def test_an_event_has_no_secret() -> None:
    """What looks like one is masked in message, fields and traceback, in both kinds of lines."""
    url = "postgresql://me:s3cret@db/orders"
    told = record("cannot reach %s", url, at=url)
    failed = failure(f"password='s3cret' and {url}")
    for lines in (JsonFormatter(), TextFormatter(colour=False)):
        shown = (lines.event(told) + lines.event(failed)).decode()
        assert "s3cret" not in shown
        assert "postgresql://***@db/orders" in shown


def test_an_access_line_has_no_secret() -> None:
    """What a caller sends by mistake, in a path or as its user agent, is masked as elsewhere."""
    secrets = Secrets(["hunter2pw"])
    cases = [
        access("/postgresql://me:s3cret@db/orders"),
        access("/orders/token=s3cret"),
        access("/hunter2pw"),
        access("/" + "a" * (SHOWN - 12) + " token=s3cret" + "x" * 200),
        access(agent="Authorization: Bearer s3cret"),
        access(agent="hunter2pw"),
        access(agent="a" * 250 + "&token=s3cret" + "x" * 200),
    ]
    for lines in (JsonFormatter(secrets.masked), TextFormatter(secrets.masked, colour=False)):
        for record in cases:
            shown = lines.access([record]).decode()
            assert "s3" not in shown
            assert "hunter" not in shown


def test_an_event_cannot_steer_the_terminal() -> None:
    """An escape sequence in a message or an exception is shown, not sent."""
    lines = TextFormatter(colour=False)
    hostile = "\x1b]0;owned\x07\x9b31m"

    assert "\x1b" not in lines.event(record("%s", hostile)).decode()
    found = lines.event(failure(hostile)).decode()
    assert "\x1b" not in found
    assert "\x9b" not in found
    assert "\nTraceback (most recent call last):\n" in found


def test_text_has_what_people_look_for() -> None:
    """Time of day, level, what was asked, how it went, who asked, and the trace id."""
    record = access(problem="order-not-found", agent="curl/8\x1b[31m")
    line = one_line(TextFormatter(colour=False).access([record]))

    what = "GET /orders/7 200 order-not-found 1.2 ms"
    assert f'00:00:01.500 INFO    {what}, 192.0.2.1 "curl/8?[31m" {TRACE}' == line


def test_colour_ends_where_it_began() -> None:
    """Every colour is switched off in the same line."""
    line = TextFormatter(colour=True).event(record("m")).decode()

    assert "\x1b[33mWARNING\x1b[0m" in line
    assert line.count("\x1b[0m") == line.count("\x1b[") - line.count("\x1b[0m")
