"""The tables of docs/postgresql.md, made from the code: `python -m tools.postgresql` prints it.

The text between the marks of a table is made; the rest of the page is written by hand. Each
connection string is read as the service reads it, so the page states the true outcome.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from orders.config import Config, ConfigError, Database
from orders.config.parameters import OTHERS, PARAMETERS, Parameter
from orders.config.tls import MODES, Tls, attempts
from tools.marks import fill

PAGE: Final = Path(__file__).parents[1] / "docs" / "postgresql.md"

STRINGS: Final = (
    (
        "Neon",
        (
            "postgresql://alex:pw@ep-cool-rain-123456.us-east-2.aws.neon.tech/neondb"
            "?sslmode=require&channel_binding=require"
        ),
    ),
    (
        "Neon, without SNI",
        (
            "postgresql://alex:pw@ep-cool-rain-123456.us-east-2.aws.neon.tech/neondb"
            "?sslmode=require&options=endpoint%3Dep-cool-rain-123456"
        ),
    ),
    (
        "Neon, pooled",
        (
            "postgresql://alex:pw@ep-cool-rain-123456-pooler.us-east-2.aws.neon.tech/neondb"
            "?sslmode=require&channel_binding=require"
        ),
    ),
    ("Supabase, direct", "postgresql://postgres:pw@db.abcdefghijkl.supabase.co:5432/postgres"),
    (
        "Supabase, session pooler",
        "postgres://postgres.abcdefghijkl:pw@aws-0-eu-west-1.pooler.supabase.com:5432/postgres",
    ),
    (
        "Supabase, transaction pooler",
        "postgres://postgres.abcdefghijkl:pw@aws-0-eu-west-1.pooler.supabase.com:6543/postgres",
    ),
    (
        "Supabase, for Prisma",
        (
            "postgres://postgres.abcdefghijkl:pw@aws-0-eu-west-1.pooler.supabase.com:6543/postgres"
            "?pgbouncer=true"
        ),
    ),
    (
        "Supabase, by Vercel",
        (
            "postgres://postgres.abcdefghijkl:pw@aws-0-us-east-1.pooler.supabase.com:6543/postgres"
            "?sslmode=require&supa=base-pooler.x"
        ),
    ),
    (
        "AWS RDS",
        (
            "postgresql://orders:pw@shop.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com:5432/orders"
            "?sslmode=verify-full&sslrootcert=/certs/global-bundle.pem"
        ),
    ),
    (
        "AWS Aurora",
        (
            "host=shop.cluster-c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com port=5432 dbname=orders"
            " user=orders password=pw sslmode=verify-full sslrootcert=/certs/global-bundle.pem"
        ),
    ),
    (
        "Cloud SQL, its proxy's socket",
        "postgresql://orders:pw@/orders?host=/cloudsql/project:europe-west1:shop",
    ),
    (
        "Cloud SQL, with a client certificate",
        (
            "sslmode=verify-ca sslrootcert=server-ca.pem sslcert=client-cert.pem"
            " sslkey=client-key.pem hostaddr=203.0.113.7 user=orders dbname=orders"
        ),
    ),
    (
        "Azure Flexible Server",
        (
            "host=shop.postgres.database.azure.com port=5432 dbname=orders user=orders password=pw"
            " sslmode=require"
        ),
    ),
    (
        "Azure Flexible Server, its PgBouncer",
        "postgresql://orders:pw@shop.postgres.database.azure.com:6432/orders?sslmode=require",
    ),
    (
        "Heroku",
        "postgres://u1a2b3:pw@ec2-203-0-113-7.compute-1.amazonaws.com:5432/d1a2b3",
    ),
    (
        "DigitalOcean",
        (
            "postgresql://doadmin:pw@shop-do-user-1234-0.b.db.ondigitalocean.com:25060/defaultdb"
            "?sslmode=require"
        ),
    ),
    (
        "Aiven",
        "postgres://avnadmin:pw@shop-project.a.aivencloud.com:12691/defaultdb?sslmode=require",
    ),
    ("CloudNativePG, `uri`", "postgresql://app:pw@shop-rw.prod:5432/app"),
    (
        "CloudNativePG, `fqdn-uri`",
        "postgresql://app:pw@shop-rw.prod.svc.cluster.local:5432/app",
    ),
    (
        "CloudNativePG, `jdbc-uri`",
        "jdbc:postgresql://shop-rw.prod:5432/app?password=pw&user=app",
    ),
    (
        "Crunchy Postgres for Kubernetes, `uri`",
        "postgresql://app:pw@shop-primary.prod.svc:5432/app",
    ),
    ("Crunchy Bridge", "postgres://application:pw@p.abcdefgh.db.postgresbridge.com:5432/postgres"),
    ("Render, internal", "postgresql://orders:pw@dpg-abc123-a/orders_x1y2"),
    (
        "Render, external",
        "postgresql://orders:pw@dpg-abc123-a.oregon-postgres.render.com/orders_x1y2",
    ),
    ("Railway, internal", "postgresql://postgres:pw@postgres.railway.internal:5432/railway"),
    ("Railway, public", "postgresql://postgres:pw@roundhouse.proxy.rlwy.net:34567/railway"),
    ("SQLAlchemy", "postgresql+asyncpg://me:pw@db/shop"),
    ("Prisma", "postgresql://me:pw@db:5432/shop?schema=public&connection_limit=5"),
    ("copied with `psql`", "psql 'postgresql://me:pw@db/shop?sslmode=require'"),
    ("p@ss:w/o?r#d% in a URL", "postgresql://me:p%40ss%3Aw%2Fo%3Fr%23d%25@db/shop"),
    ("IPv6", "postgresql://me@[2001:db8::7]:5433/shop"),
    ("several hosts", "postgresql://me:pw@one:5432,two:5433,three/shop"),
    ("a socket", "postgresql://me@%2Frun%2Fpostgresql/shop"),
    ("no user", "postgresql://:pw@db/shop"),
    ("quoted", r"host=db dbname='my shop' user=me password='it\'s'"),
)
"""Connection strings by where databases come from; every host and password is invented."""


def page(text: str) -> str:
    """Return the page with its tables made anew."""
    return fill(text, _TABLES)


def outcome(string: str) -> str:
    """Return the outcome of a connection string: the connection, or why it is refused."""
    try:
        database = Config.from_env({"DATABASE_URL": string}).needed_database()
    except ConfigError as error:
        return f"refused: it {str(error).rpartition('; it ')[2]}"
    return f"`{database.user}` at `{database.where}`{''.join(_details(database))}"


def _details(database: Database) -> Iterator[str]:
    tries = database.attempts(database.hosts[0])
    yield f"; {', then '.join(_in_words(tls, database) for tls in tries)}"
    if database.channel_binding is not None:
        yield f"; channel binding: {database.channel_binding}"
    if database.options:
        yield f"; options `{database.options}`"


def _in_words(tls: Tls, database: Database) -> str:
    if database.hosts[0].startswith("/"):
        return "a socket"
    if not tls.encrypted:
        return "without TLS"
    return "TLS" if tls.root_cert is None else "TLS, verified"


def _strings() -> str:
    rows = (f"| {where} | `{string}` | {outcome(string)} |\n" for where, string in STRINGS)
    return "| from | `DATABASE_URL` | comes to |\n|---|---|---|\n" + "".join(rows)


def _modes() -> str:
    rows = ["| `sslmode` | without a root certificate | with one |\n|---|---|---|\n"]
    for mode in MODES:
        tries = (_tries(mode, None), _tries(mode, "file"))
        rows.append(f"| `{mode}` | {tries[0]} | {tries[1]} |\n")
    return "".join(rows)


def _tries(mode: str, root_cert: str | None) -> str:
    if mode.startswith("verify") and root_cert is None:
        return "refused at start"
    words = {
        Tls(encrypted=False): "without TLS",
        Tls(encrypted=True): "TLS, any certificate",
        Tls(encrypted=True, root_cert="file"): "TLS, certificate and name verified",
    }
    return ", then ".join(words[tls] for tls in attempts(mode, root_cert))


def _parameters() -> str:
    alike = groupby(PARAMETERS, key=lambda parameter: (_what(parameter), parameter.about))
    rows = (f"| {_names(group)} | {what} | {about} |\n" for (what, about), group in alike)
    return "| parameter | | |\n|---|---|---|\n" + "".join(rows)


def _others() -> str:
    alike = groupby(sorted(OTHERS, key=_about), key=_about)
    rows = (f"| {_names(group)} | {about} |\n" for about, group in alike)
    return "| parameter | |\n|---|---|\n" + "".join(rows)


def _about(parameter: Parameter) -> str:
    return parameter.about


def _names(group: Iterable[Parameter]) -> str:
    return ", ".join(f"`{parameter.name}`" for parameter in group)


def _what(parameter: Parameter) -> str:
    if parameter.field is not None:
        return "taken"
    if parameter.harmless is None:
        return "ignored"
    if parameter.harmless:
        return f"refused, but {', '.join(sorted(parameter.harmless))}"
    return "refused"


_TABLES: Final[dict[str, Callable[[], str]]] = {
    "strings": _strings,
    "modes": _modes,
    "parameters": _parameters,
    "others": _others,
}


if __name__ == "__main__":
    sys.stdout.write(page(PAGE.read_text(encoding="utf-8")))
