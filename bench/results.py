"""The raw results of a run, as kept in JSON: times in ms, CPU in us, memory in MiB."""

from pathlib import Path

from msgspec import Struct, field, json


class Load(Struct, frozen=True):
    """One load on one server.

    `server_us`, `database_us` and `generator_us` are CPU time for each request; `idle` is how many
    connections were open beside those of the load and asked nothing; `foreign` is the share of
    the machine's CPU that neither the bench nor what it runs had; `purged` is how many orders a
    purge deleted meanwhile, None without a purge.
    """

    server: str
    question: str
    connections: int
    rows: int
    turn: int
    seconds: float
    requests: int
    errors: int
    per_second: float
    p50_ms: float
    p99_ms: float
    server_us: float
    database_us: float | None
    pss_mib: float
    idle: int = 0
    p999_ms: float | None = None
    generator_us: float | None = None
    foreign: float | None = None
    purged: int | None = None

    @property
    def cpu_us(self) -> float | None:
        """CPU time of server and PostgreSQL for each request."""
        return None if self.database_us is None else self.server_us + self.database_us

    @property
    def void(self) -> bool:
        """Whether any answer was not 2xx, or none came: such a load counts for nothing."""
        return self.errors > 0 or self.requests == 0


class Start(Struct, frozen=True):
    """The time from a server's start to its first 201, in ms, each time it was started for it."""

    server: str
    first_order_ms: list[float]


class Growth(Struct, frozen=True):
    """Memory at the start and the end of a longer load, and how many requests were between."""

    server: str
    seconds: float
    requests: int
    early_mib: float
    late_mib: float


class Results(Struct):
    """Everything of one run."""

    machine: dict[str, str]
    versions: dict[str, str]
    settings: dict[str, str]
    generator: str
    command: str
    titles: dict[str, str]
    left_out: list[str] = field(default_factory=list)
    loads: list[Load] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    growths: list[Growth] = field(default_factory=list)
    minutes: float = 0.0
    date: str = ""
    revision: str = ""
    busy_before: float | None = None
    trials: list[Load] = field(default_factory=list)
    tuned: str = ""


def save(results: Results, file: Path) -> None:
    """Write results as indented JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(json.format(json.encode(results), indent=1) + b"\n")


def load(file: Path) -> Results:
    """Read what `save` wrote."""
    return json.decode(file.read_bytes(), type=Results)
