"""RFC 9110 and RFC 9112, clause by clause: what is asked of a server, and what this one answers.

`by` says who sees to a clause: the service, or the server's HTTP library (Granian with hyper),
which answers before the service sees anything, and which is not rebuilt. Where that differs from
the RFC, or where the service does on purpose, `but` says how. What only clients, proxies, caches
or TLS have to do is left out.
"""

from typing import Final, Literal, NamedTuple

from orders.http.conditional import REPRESENTATION

ORDER: Final = b'{"item":"tea","quantity":1}'
SEEDED: Final = b"<seeded>"
"""Stands for the id of an order that exists."""
READ: Final = b"/orders/" + SEEDED
TAG: Final = SEEDED + b"-" + REPRESENTATION.encode()
"""Its entity tag, without the quotes."""
UNKNOWN: Final = b"/orders/0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d"

HOST: Final = b"Host: x\r\n"
JSON: Final = b"Content-Type: application/json\r\n"
LENGTH: Final = b"Content-Length: %d\r\n" % len(ORDER)
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
CHUNKS: Final = b"%x\r\n%b\r\n0\r\n\r\n" % (len(ORDER), ORDER)
LARGE: Final = 65_537
"""Bytes that no body may have."""
ENDLESS: Final = 2**40
"""Bytes that nobody reads only to throw them away."""

By = Literal["service", "server"]


class Clause(NamedTuple):
    """One clause, a request that it is about, and the answer."""

    section: str
    """As in "9112 3.2"."""
    says: str
    sent: tuple[bytes, ...]
    """What is sent; each further piece after one answer (of 100, say) has come."""
    statuses: tuple[int, ...]
    by: By = "service"
    closes: bool = False
    """Whether the connection ends with the answer; else it takes another request."""
    has: tuple[tuple[str, str], ...] = ()
    """Headers of the last answer; values are regular expressions, "" is of one that is absent."""
    but: str = ""
    asgi: bool = True
    """Whether the application answers the same over Granian's ASGI, without the bridge."""


def _get(target: bytes, headers: bytes = b"", method: bytes = b"GET") -> tuple[bytes]:
    return (b"%b %b HTTP/1.1\r\n%b%b\r\n" % (method, target, HOST, headers),)


def _post(headers: bytes, body: bytes = b"", target: bytes = b"/orders") -> tuple[bytes]:
    return (b"POST %b HTTP/1.1\r\n%b%b\r\n%b" % (target, HOST, headers, body),)


CREATE: Final = _post(JSON + LENGTH, ORDER)

RFC_9110: Final = (
    Clause("9110 4.2.3", "what is percent-encoded and need not be is the same",
           _get(READ.replace(b"orders", b"%6frders")), (200,)),
    Clause("9110 4.2.4", "a user in a URL SHOULD be an error",
           _get(b"http://user@elsewhere.test" + READ), (200,),
           but="ignored, as all of the URL before its path"),
    Clause("9110 5.1", "names of fields are case-insensitive",
           _post(b"cOnTeNt-TyPe: application/json\r\n" + LENGTH.upper(), ORDER), (201,)),
    Clause("9110 5.3", "a field on several lines is one list",
           _get(READ, b"Accept: text/html\r\nAccept: application/json\r\n"), (200,)),
    Clause("9110 5.3", "a field that is no list must not be sent twice",
           _post(JSON + JSON + LENGTH, ORDER), (415,)),
    Clause("9110 5.5", "white space around a value is not part of it",
           _post(b"Content-Type: \t application/json \t\r\n" + LENGTH, ORDER), (201,)),
    Clause("9110 5.5", "a value with CR, LF or NUL is invalid",
           _get(b"/livez", b"A: b\0c\r\n"), (400,), "server", closes=True),
    Clause("9110 5.6.1.2", "empty elements of a list are ignored",
           _get(READ, b"Accept: , ,application/json,,\r\n"), (200,)),
    Clause("9110 5.6.1.2", "of a list of transfer codings too",
           _post(JSON + b"Transfer-Encoding: , chunked\r\n", CHUNKS), (201,)),
    Clause("9110 5.6.4", "a comma or a semicolon in a quoted string separates nothing",
           _get(READ, b'Accept: application/json;x=", */*;q=1";q=0\r\n'), (406,)),
    Clause("9110 6.6.1", "an answer has a Date", CREATE, (201,), has=(("date", ".* GMT"),)),
    Clause("9110 6.6.1", "also one of the library's own",
           _get(b"/a b"), (400,), "server", closes=True, has=(("date", ".* GMT"),)),
    Clause("9110 7.2", "a request without Host is 400",
           (b"GET %b HTTP/1.1\r\n\r\n" % READ,), (400,)),
    Clause("9110 7.6.1", "options of Connection are case-insensitive, close among others",
           _get(b"/livez", b"Connection: x, CLOSE\r\n"), (200,), "server", closes=True,
           has=(("connection", "close"),)),
    Clause("9110 7.6.2", "Max-Forwards is for proxies; here a request has arrived",
           _get(READ, b"Max-Forwards: 0\r\n", b"OPTIONS"), (204,)),
    Clause("9110 7.8", "Upgrade may be ignored",
           _get(READ, b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
           (200,)),
    Clause("9110 8.3", "a body of another type is not taken",
           _post(b"Content-Type: text/plain\r\n" + LENGTH, ORDER), (415,),
           has=(("accept", "application/json"),)),
    Clause("9110 8.3.1", "types and charset are case-insensitive; a value may be quoted",
           _post(b'Content-Type: Application/JSON ; CharSet="UTF-8"\r\n' + LENGTH, ORDER), (201,)),
    Clause("9110 8.4", "a body in a content coding that is not taken is 415 (15.5.16)",
           _post(JSON + LENGTH + b"Content-Encoding: gzip\r\n", ORDER), (415,),
           has=(("accept-encoding", "identity"),)),
    Clause("9110 8.6", "Content-Length is a number",
           _post(JSON + b"Content-Length: +27\r\n", ORDER), (400,), "server", closes=True),
    Clause("9110 8.8.3", "an entity tag is quoted",
           _get(READ), (200,), has=(("etag", '"[^"]+"'),)),
    Clause("9110 8.8.3", "an entity tag may have bytes beyond ASCII",
           _get(READ, b'If-None-Match: "\xe9"\r\n'), (400,),
           but="400, as the server's interface does not show a value that has some", asgi=False),
    Clause("9110 9.1", "methods are case-sensitive; one that is unknown SHOULD be 501",
           _get(READ, method=b"get"), (405,),
           but="405, as a 5xx would count as a failure of the service in alerts and rollouts"),
    Clause("9110 9.1", "GET and HEAD are everywhere where there is something to get",
           _get(READ, method=b"HEAD"), (200,)),
    Clause("9110 9.3.1", "a body of a GET has no meaning",
           (_get(READ, LENGTH)[0] + ORDER,), (200,)),
    Clause("9110 9.3.2", "HEAD has the fields of GET, and no content",
           _get(READ, method=b"HEAD"), (200,), has=(("content-length", r"\d+"), ("etag", ".+"))),
    Clause("9110 9.3.2", "a body of a HEAD has no meaning",
           (_get(READ, LENGTH, b"HEAD")[0] + ORDER,), (200,)),
    Clause("9110 9.3.3", "what was created is 201, with its Location", CREATE, (201,),
           has=(("location", "/orders/.*"),)),
    Clause("9110 15.3.2", "without Location it is the target that was created",
           _post(JSON + b"Content-Length: 29\r\n", b"[%b]" % ORDER, b"/orders/batch"), (201,),
           has=(("location", ""),), but="many were created, and the answer has them"),
    Clause("9110 9.3.6", "CONNECT is for proxies",
           _get(b"x:80", method=b"CONNECT"), (405,), has=(("allow", ".+"),)),
    *(
        Clause("9110 9.3.7", f"OPTIONS says what a resource can do: {path.decode()}",
               _get(path, method=b"OPTIONS"), (204,),
               has=(("allow", allow), ("content-length", "")))
        for path, allow in (
            (b"/orders", "GET, HEAD, OPTIONS, POST"), (READ, "GET, HEAD, OPTIONS"),
            (b"/orders/batch", "OPTIONS, POST"), (b"/docs", "GET, HEAD, OPTIONS"),
            (b"/", "GET, HEAD, OPTIONS"), (b"/schema/openapi.json", "GET, HEAD, OPTIONS"),
            (b"/livez", "GET, HEAD, OPTIONS"), (b"/readyz", "GET, HEAD, OPTIONS"),
            (b"/startupz", "GET, HEAD, OPTIONS"),
        )
    ),
    Clause("9110 9.3.7", "OPTIONS * is of the server as a whole",
           _get(b"*", method=b"OPTIONS"), (204,), has=(("allow", "GET, HEAD, OPTIONS, POST"),)),
    Clause("9110 9.3.7", "OPTIONS of what is not there is no success",
           _get(b"/nothing", method=b"OPTIONS"), (404,)),
    Clause("9110 9.3.8", "TRACE need not be there",
           _get(b"/orders", method=b"TRACE"), (405,), has=(("allow", ".+"),)),
    Clause("9110 10.1.1", "100 comes before a body that is waited for",
           (*_post(JSON + LENGTH + b"Expect: 100-Continue\r\n"), ORDER), (100, 201)),
    Clause("9110 10.1.1", "whoever does not want the body may answer at once",
           _post(b"Content-Type: text/plain\r\n" + LENGTH + b"Expect: 100-continue\r\n"), (415,),
           closes=True, has=(("connection", "close"),)),
    Clause("9110 10.1.1", "and says so where the body is too large",
           _post(JSON + b"Content-Length: %d\r\nExpect: 100-continue\r\n" % LARGE), (413,),
           closes=True, has=(("connection", "close"),)),
    Clause("9110 10.1.1", "in HTTP/1.0 nobody waits for a 100",
           (b"POST /orders HTTP/1.0\r\n%b%bExpect: 100-continue\r\n\r\n%b"
            % (JSON, LENGTH, ORDER),), (201,), closes=True),
    Clause("9110 10.1.1", "other expectations may be 417",
           _post(JSON + LENGTH + b"Expect: a-miracle\r\n", ORDER), (201,), but="ignored"),
    Clause("9110 10.2.1", "405 says in Allow what is possible",
           _get(b"/orders", method=b"DELETE"), (405,),
           has=(("allow", "GET, HEAD, OPTIONS, POST"),)),
    Clause("9110 12.1", "a caller that accepts nothing there is told so",
           _get(READ, b"Accept: text/html\r\n"), (406,)),
    Clause("9110 12.4.2", "a weight of 0 is: not acceptable",
           _get(READ, b"Accept: application/json;q=0.000, */*\r\n"), (406,)),
    Clause("9110 12.5.1", "an Accept that names nothing excludes nothing",
           _get(READ, b"Accept:\r\n"), (200,)),
    Clause("9110 12.5.1", "the most specific range decides",
           _get(READ, b"Accept: */*;q=0, application/*;q=0, application/json\r\n"), (200,)),
    Clause("9110 12.5.3", "no coding is needed where none is acceptable",
           _get(READ, b"Accept-Encoding: identity;q=0, *;q=0\r\n"), (200,),
           has=(("content-encoding", ""),), but="the caller's wish is disregarded, as it may be"),
    Clause("9110 12.5.3", "what is acceptable is chosen, and Vary says so (12.5.5)",
           _get(b"/docs", b"Accept-Encoding: br, gzip;q=0.5\r\n"), (200,),
           has=(("content-encoding", "gzip"), ("vary", "accept-encoding"))),
    Clause("9110 12.5.4", "languages are not chosen by",
           _get(READ, b"Accept-Language: de;q=0\r\n"), (200,)),
    Clause("9110 13.1.1", "a false If-Match keeps a method from being done",
           _get(READ, b'If-Match: "other"\r\n'), (412,)),
    Clause("9110 13.1.1", "a weak tag does not match",
           _get(READ, b'If-Match: W/"%b"\r\n' % TAG), (412,)),
    Clause("9110 13.1.1", "one of several tags is enough",
           _get(READ, b'If-Match: "other", "%b"\r\n' % TAG), (200,)),
    Clause("9110 13.1.1", "* is true where there is something",
           _get(READ, b"If-Match: *\r\n"), (200,)),
    Clause("9110 13.1.1", "nothing that a list or a POST is about has a tag",
           _get(b"/orders", b'If-Match: "x"\r\n'), (412,)),
    Clause("9110 13.1.1", "so nothing is created",
           _post(JSON + LENGTH + b'If-Match: "x"\r\n', ORDER), (412,)),
    Clause("9110 13.1.1", "the list is there, so it may be added to",
           _post(JSON + LENGTH + b"If-Match: *\r\n", ORDER), (201,)),
    Clause("9110 13.1.1", "a batch is no resource that is there",
           _post(JSON + LENGTH + b"If-Match: *\r\n", ORDER, b"/orders/batch"), (412,)),
    Clause("9110 13.1.2", "If-None-Match compares weakly",
           _get(READ, b'If-None-Match: W/"%b"\r\n' % TAG), (304,),
           has=(("etag", ".+"), ("content-type", ""))),
    Clause("9110 13.1.2", "* is false where there is something: 304 for a GET",
           _get(b"/orders", b"If-None-Match: *\r\n"), (304,)),
    Clause("9110 13.1.2", "412 for another method",
           _post(JSON + LENGTH + b"If-None-Match: *\r\n", ORDER), (412,)),
    Clause("9110 13.1.2", "a tag that nothing has keeps nothing out",
           _post(JSON + LENGTH + b'If-None-Match: "x"\r\n', ORDER), (201,)),
    Clause("9110 13.1.3", "without a time of the last change If-Modified-Since is ignored",
           _get(READ, b"If-Modified-Since: Sun, 06 Nov 2094 08:49:37 GMT\r\n"), (200,)),
    Clause("9110 13.1.4", "and If-Unmodified-Since",
           _get(READ, b"If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"), (200,)),
    Clause("9110 13.1.5", "without ranges If-Range is ignored",
           _get(READ, b'If-Range: "x"\r\nRange: bytes=0-3\r\n'), (200,)),
    Clause("9110 13.2.1", "conditions count only where the answer would else be a success",
           _get(UNKNOWN, b'If-Match: "x"\r\n'), (404,)),
    Clause("9110 13.2.2", "If-Match comes before If-None-Match",
           _get(READ, b'If-Match: "other"\r\nIf-None-Match: *\r\n'), (412,)),
    Clause("9110 14.2", "Range may be ignored", _get(READ, b"Range: bytes=0-3\r\n"), (200,)),
    Clause("9110 15.4.5", "304 has the tag that 200 has, and no content",
           _get(READ, b"If-None-Match: *\r\n"), (304,), has=(("etag", ".+"),)),
    Clause("9110 15.5.14", "a body that is too large is 413",
           _post(JSON + b"Content-Length: %d\r\n" % LARGE), (413,), closes=True),
    Clause("9110 15.5.14", "and need not be read: then the connection ends",
           _post(JSON + b"Content-Length: %d\r\n" % ENDLESS), (413,), closes=True,
           has=(("connection", "close"),)),
    Clause("9110 9.3.4", "nor need that of a method that is not there",
           (b"PUT /orders HTTP/1.1\r\n%b%b\r\n%b" % (HOST, LENGTH, ORDER),), (405,)),
)  # fmt: skip

RFC_9112: Final = (
    Clause("9112 2.2", "an empty line before a request is ignored",
           (b"\r\n\r\n" + _get(b"/livez")[0],), (200,), "server"),
    Clause("9112 2.2", "a line may end with LF alone",
           (b"GET /livez HTTP/1.1\nHost: x\n\n",), (200,), "server"),
    Clause("9112 2.2", "a bare CR is invalid",
           _get(b"/livez", b"A: b\rc\r\n"), (400,), "server", closes=True),
    Clause("9112 2.2", "white space before the first field is invalid",
           (b"GET /livez HTTP/1.1\r\n Host: x\r\n\r\n",), (400,), "server", closes=True),
    Clause("9112 2.3", "the name of the protocol is case-sensitive",
           (b"GET /livez http/1.1\r\nHost: x\r\n\r\n",), (400,), "server", closes=True),
    Clause("9112 2.3", "a request of HTTP/1.0 needs no Host, and is the last of its connection",
           (b"GET %b HTTP/1.0\r\n\r\n" % READ,), (200,), closes=True),
    Clause("9112 2.3", "a higher minor version is to be taken as 1.1",
           (b"GET /livez HTTP/1.2\r\nHost: x\r\n\r\n",), (400,), "server", closes=True,
           but="there is no such version; the library refuses it"),
    Clause("9112 2.3", "another major version is refused (9110 15.6.6: SHOULD be 505)",
           (b"GET /livez HTTP/3.0\r\nHost: x\r\n\r\n",), (400,), "server", closes=True,
           but="400 by the library"),
    Clause("9112 3", "a request line has single spaces",
           (b"GET  /livez HTTP/1.1\r\nHost: x\r\n\r\n",), (400,), "server", closes=True),
    Clause("9112 3", "and a version",
           (b"GET /livez\r\n\r\n",), (400,), "server", closes=True),
    Clause("9112 3", "a line of 8,000 bytes is taken",
           _get(b"/" + b"a" * 8_000), (404,)),
    Clause("9112 3", "a target that is too long is 414",
           _get(b"/" + b"a" * 70_000), (431,), "server", closes=True,
           but="431, as a head may have 16 KiB in all"),
    Clause("9112 3.1", "a method is a token",
           _get(b"/livez", method=b"G@T"), (400,), "server", closes=True),
    Clause("9112 3.2", "a target has no white space",
           _get(b"/a b"), (400,), "server", closes=True),
    Clause("9112 3.2", "a target that is no path and no URL is invalid",
           _get(b"orders"), (400,)),
    Clause("9112 3.2", "no Host is 400",
           (b"GET /livez HTTP/1.1\r\n\r\n",), (400,)),
    Clause("9112 3.2", "no Host is 400, to a create",
           (b"POST /orders HTTP/1.1\r\n%b%b\r\n%b" % (JSON, LENGTH, ORDER),), (400,)),
    Clause("9112 3.2", "two of them are 400",
           _get(READ, HOST), (400,)),
    Clause("9112 3.2", "two of them are 400, to a create",
           _post(JSON + LENGTH + HOST, ORDER), (400,)),
    *(
        Clause("9112 3.2", f"a Host that is none is 400: {host!r} for {target.decode()}",
               (b"GET %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (target, host),), (400,),
               asgi=host.isascii())
        for target in (READ, b"/livez", b"/orders")
        for host in (b"a b", b"a, b", b"u@x", b"x/y", b"\xe9", b"[::1", b"x:80:80", b"x:a", b"%zz")
    ),
    *(
        Clause("9112 3.2", f"a Host may be {host.decode()!r}",
               (b"GET %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (READ, host),), (200,))
        for host in (b"orders.shop.svc.cluster.local:8000", b"10.0.0.1", b"[::1]:8000", b"a,b",
                     b"under_score", b"X.TEST.", b"x:", b"%C3%A9.test", b"a" * 300)
    ),
    Clause("9110 4.2.1", "a URL without a host is invalid",
           (b"GET %b HTTP/1.1\r\nHost:\r\n\r\n" % READ,), (400,)),
    Clause("9112 3.2", "a request of HTTP/1.0 may have an empty Host, or none",
           (b"GET %b HTTP/1.0\r\nHost:\r\n\r\n" % READ,), (200,), closes=True),
    Clause("9112 3.2.1", "a path has no fragment",
           _get(READ + b"#a"), (200,), "server", but="the library cuts it off"),
    Clause("9112 3.2.3", "a host and a port are for CONNECT alone",
           _get(b"x:80"), (400,)),
    Clause("9112 3.2.2", "a target may be a URL, whatever Host says",
           _get(b"http://elsewhere.test" + READ), (200,)),
    Clause("9112 3.2.2", "a URL does not stand for Host",
           (b"GET http://elsewhere.test%b HTTP/1.1\r\n\r\n" % READ,), (400,), asgi=False),
    Clause("9112 3.2.4", "* is for OPTIONS alone",
           _get(b"*"), (400,)),
    Clause("9112 5.1", "white space before the colon is 400",
           _get(b"/livez", b"A : b\r\n"), (400,), "server", closes=True),
    Clause("9112 5.2", "a folded line is 400",
           _get(b"/livez", b"A: b\r\n c\r\n"), (400,), "server", closes=True),
    Clause("9110 5.4", "a head that is too large is refused (RFC 6585: 431)",
           _get(b"/livez", b"".join(b"X-%d: 1\r\n" % n for n in range(200))), (431,), "server",
           closes=True),
    Clause("9112 6.1", "chunked is understood, in any case",
           _post(JSON + b"Transfer-Encoding: CHUNKED\r\n", CHUNKS), (201,)),
    Clause("9112 6.1", "a coding that is not understood SHOULD be 501",
           _post(JSON + b"Transfer-Encoding: gzip, chunked\r\n", CHUNKS), (400,),
           but="400, as a 5xx would count as a failure of the service in alerts and rollouts"),
    Clause("9112 6.1", "to a GET too",
           (_get(READ, b"Transfer-Encoding: gzip\r\n" + CHUNKED)[0] + b"0\r\n\r\n",), (400,)),
    Clause("9112 6.1", "with Content-Length beside it chunked counts, and the connection ends",
           _post(JSON + b"Content-Length: 5\r\n" + CHUNKED, CHUNKS), (201,), closes=True),
    Clause("9112 6.1", "it is faulty in HTTP/1.0",
           (b"POST /orders HTTP/1.0\r\n%b%b\r\n%b" % (JSON, CHUNKED, CHUNKS),), (400,), "server",
           closes=True),
    Clause("9112 6.3", "chunked that is not the last coding is 400, and the connection ends",
           _post(JSON + b"Transfer-Encoding: chunked, gzip\r\n", CHUNKS), (400,), "server",
           closes=True),
    Clause("9112 6.3", "different lengths are 400, and the connection ends",
           _post(JSON + LENGTH + b"Content-Length: 5\r\n", ORDER), (400,), "server", closes=True),
    Clause("9112 6.3", "a list of one length may be refused",
           _post(JSON + b"Content-Length: 27, 27\r\n", ORDER), (400,), "server", closes=True),
    Clause("9112 6.3", "without a length there is no body",
           _post(JSON), (400,)),
    Clause("9112 7.1", "extensions of chunks are ignored",
           _post(JSON + CHUNKED, CHUNKS.replace(b"\r\n", b";a=b\r\n", 1)), (201,)),
    Clause("9112 7.1", "what is no chunk is invalid, and the connection ends",
           _post(JSON + CHUNKED, b"zz\r\n"), (400,), closes=True),
    *(
        Clause("9112 7.1", f"so is a size that is none: {size!r}",
               _post(JSON + CHUNKED, CHUNKS.replace(b"1b", size, 1)), (400,), closes=True)
        for size in (b"0x1b", b"+1b", b"-1b", b"1_b", b"", b" 1b")
    ),
    Clause("9112 7.1", "a line of a chunk ends with CRLF",
           _post(JSON + CHUNKED, CHUNKS.replace(b"\r\n", b"\n", 1)), (400,), closes=True),
    Clause("9112 7.1.1", "in an extension too",
           _post(JSON + CHUNKED, CHUNKS.replace(b"\r\n", b";a\n\r\n", 1)), (400,), closes=True),
    Clause("9112 7.1", "a size that is too large for a number is invalid",
           _post(JSON + CHUNKED, b"f" * 20 + b"\r\n"), (400,), closes=True),
    Clause("9112 7.1.2", "trailers can be parsed, and may be discarded",
           _post(JSON + CHUNKED, CHUNKS[:-2] + b"X-A: 1\r\n\r\n"), (400,),
           but="the server's interface shows them as it shows a body that broke off, so the body"
           " is refused", asgi=False),
    Clause("9112 9.3", "a connection takes one request after the other", _get(READ), (200,)),
    Clause("9112 9.3.2", "requests that come at once are answered in their order",
           (CREATE[0] + _get(UNKNOWN)[0] + _get(b"/nothing")[0] + _get(READ)[0],),
           (201, 404, 404, 200)),
    Clause("9112 9.6", "close is answered with close, and the connection ends",
           _get(READ, b"Connection: close\r\n"), (200,), closes=True,
           has=(("connection", "close"),)),
    Clause("9112 C.2.2", "keep-alive of HTTP/1.0 is kept",
           (b"GET %b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" % READ,), (200,), "server",
           has=(("connection", "keep-alive"),)),
    Clause("9113 3.4", "the preface of HTTP/2 is refused where only HTTP/1.1 is spoken",
           (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",), (), "server", closes=True),
)  # fmt: skip

METRICS_PORT: Final = (
    Clause("9112 3.2", "no Host is 400", (b"GET /metrics HTTP/1.1\r\n\r\n",), (400,)),
    Clause("9112 3.2", "two of them are 400", _get(b"/livez", HOST), (400,)),
    Clause("9112 2.3", "a request of HTTP/1.0 needs no Host, and is the last of its connection",
           (b"GET /livez HTTP/1.0\r\n\r\n",), (200,), closes=True),
    Clause("9112 3.2", "a Host that is none is 400",
           (b"GET /metrics HTTP/1.1\r\nHost: a b\r\n\r\n",), (400,)),
    Clause("9112 3.2", "a target that is no path and no URL is invalid", _get(b"metrics"), (400,)),
    *(
        Clause("9110 9.3.7", f"OPTIONS says what a resource can do: {path.decode()}",
               _get(path, method=b"OPTIONS"), (204,), has=(("allow", "GET, HEAD, OPTIONS"),))
        for path in (b"/metrics", b"/livez", b"/readyz", b"/startupz", b"*")
    ),
    Clause("9110 10.2.1", "405 says in Allow what is possible",
           _get(b"/metrics", method=b"DELETE"), (405,), has=(("allow", "GET, HEAD, OPTIONS"),)),
)  # fmt: skip
