"""What a connection string says: the same as to psql, or an error that says why not."""

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.config import conninfo
from orders.config.parameters import OTHERS, PARAMETERS
from tests.helpers import libpq
from tests.helpers.environment import error
from tests.helpers.paths import ROOT
from tools.postgresql import STRINGS, outcome, page

PAGE = ROOT / "docs" / "postgresql.md"
NAMES = {parameter.field: parameter.name for parameter in PARAMETERS if parameter.field}


def parsed(text: str) -> dict[str, str] | None:
    """Return what a connection string sets, by libpq's names; None when it is refused."""
    try:
        found = conninfo.parse(text)
    except ValueError:
        return None
    if "host" in found:
        found["host"] = re.sub(r"[\[\]]", "", found["host"])  # which libpq leaves out
    return {NAMES[field]: value for field, value in found.items()}


def test_every_parameter_of_libpq_is_in_the_table() -> None:
    """None is forgotten, and none is made up; those of other drivers libpq refuses."""
    known = libpq.parameters()

    assert known.keys() == {parameter.name for parameter in PARAMETERS}
    assert [] == [p for p in PARAMETERS if p.variable not in {"", known[p.name]}]
    assert [] == [p.name for p in OTHERS if libpq.parse(f"host=a {p.name}=1") is not None]


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://",
        "postgresql://%68ost/",
        "postgresql://host/db?u%73er=me&port=12345",
        "postgres://?host=/path/to/socket/dir",
        "postgres://me@:12345/db?host=/path/to/socket",
        "postgres://%2Fvar%2Flib%2Fpostgresql/db",
        "postgresql://u:p+w@h/d?application_name=a+b",
        "postgresql://u:p:q%40%3A%2F%3F%23%25@h/d#e",
        "postgresql://h1:1,h2,h3:3/d",
        "postgres://@host",
        "postgres://host:/",
        "postgresql://h/d?ssl=true",
        "postgresql://h/d?requiressl=1",
        "postgresql://h/d?sslmode=",
        "postgresql://h/d?",
        "host=h dbname='my db' password='it\\'s' user = me",
        "host= dbname=x",
        "user=me password=a\\ b",
        "password=x'y host=z",
        " host=a\tport=1 ",
        "postgresql://host?uzer=",
        "postgresql://host?zzz",
        "postgresql://a%00b",
        "postgresql://%zz",
        "postgresql://%1",
        "postgresql://[::1]x/d",
        "postgresql://[::1",
        "host='unterminated",
        "host",
        "host=a b",
    ],
)
def test_it_is_read_as_libpq_reads_it(text: str) -> None:
    """What libpq takes means the same here, and what it refuses is refused."""
    assert libpq.parse(text) == parsed(text)


@given(st.lists(st.sampled_from(("a", *":/?#%&+,1\\ü'", "%25", "[::1]", "user=", "port="))))
def test_no_url_means_something_else_than_to_libpq(words: list[str]) -> None:
    """Whatever follows the scheme is refused, or means the same to both."""
    text = f"postgresql://{''.join(words)}".replace("==", "=")
    found = parsed(text)
    if found is not None:
        assert libpq.parse(text) == found


@given(st.lists(st.sampled_from(("host", "user", "port", "=", *" ='\\\t", "a", "1", "ü"))))
def test_no_keywords_mean_something_else_than_to_libpq(words: list[str]) -> None:
    """Whatever is between the quotes and escapes is refused, or means the same to both."""
    text = "".join(words)
    found = parsed(text)
    if found is not None:
        assert libpq.parse(text) == found


@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1),
)
def test_any_password_can_be_written(password: str, name: str) -> None:
    """Percent-encoded in a URL, quoted among keywords."""
    escaped = password.replace("\\", "\\\\").replace("'", "\\'")
    expected = {"password": password, "dbname": name}

    url = f"postgresql://:{quote(password, safe='')}@/{quote(name, safe='')}"
    assert expected == parsed(url)
    assert password == (parsed(f"password='{escaped}' port=1") or {})["password"]


def test_an_at_in_a_password_does_no_harm() -> None:
    """A URL's password ends at its last @, where libpq takes the first."""
    assert "p@ss" == (parsed("postgresql://me:p@ss@host/db") or {})["password"]


@pytest.mark.parametrize("text", [text for _, text in STRINGS])
def test_the_strings_of_the_page_are_psqls(text: str) -> None:
    """What is taken of those that databases come with means the same to libpq."""
    if outcome(text).startswith("refused"):
        assert "pw" not in error(DATABASE_URL=text)
    else:
        assert libpq.parse(text) == parsed(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("postgresql+asyncpg://me:s3cret@h/d", "it has a driver after the +, as SQLAlchemy write"),
        ("jdbc:postgresql://h/d?password=s3cret", "it is a URL of JDBC; write postgresql://user"),
        (
            "psql 'postgresql://me:s3cret@h/d?a=b'",
            "it starts with psql or a quotation mark, which",
        ),
        ("'postgresql://me:s3cret@h/d'", "it starts with psql or a quotation mark, which is the"),
        (
            "postgresql://me:s3cret@h/d?pgbouncer=true",
            "it has pgbouncer: it is Prisma's, and psql",
        ),
        ("host=h password=s3cret service=x", "it has service: no service file is read; write it"),
        ("postgresql://me:s3cret%@h/d", "it has a % that is not followed by two hex digits; wri"),
        ("postgresql://me:s3cret%ff@h/d", "it is not UTF-8 text, percent-encoded"),
        (
            "postgresql://me:s3cret@h/d?gssencmode=require",
            "it has gssencmode, other than disable ",
        ),
        ("postgresql://me:s3cret@h/d?s3cret=1", "it has a parameter that is not one of host, ho"),
        ("postgresql://me:s3cret@h/d?s3cret", "it has a parameter without a value"),
    ],
)
def test_what_is_refused_is_said(text: str, why: str) -> None:
    """The error says what was wrong and what to do, and shows nothing of the string."""
    message = error(DATABASE_URL=text)

    assert why in message
    assert "s3cret" not in message


def test_values_that_change_nothing_are_taken() -> None:
    """What is the default anyway is no error."""
    assert {"host": "h", "dbname": "d"} == parsed(
        "postgresql://h/d?gssencmode=disable&sslnegotiation=postgres&sslcertmode=allow"
        "&ssl_min_protocol_version=TLSv1.2&keepalives=0&replication=false&client_encoding=auto"
    )


def test_the_page_is_up_to_date() -> None:
    """docs/postgresql.md has the tables that the code makes."""
    text = PAGE.read_text(encoding="utf-8")

    assert page(text) == text
