"""The results of disruptions, as they are kept in JSON: the report is made from these alone.

A run replaces the results of what it tried and keeps the others, so one can be tried again alone.
"""

from pathlib import Path

from msgspec import Struct, field, json

from orders_operator.load.report import Second


class Figure(Struct, frozen=True):
    """What was measured beside its bound, in words for people."""

    what: str
    measured: str
    bound: str
    met: bool


class Mark(Struct, frozen=True):
    """Something that happened, so many seconds after the load began."""

    at: float
    text: str


class Result(Struct):
    """What came of one disruption; `form` names the size of the run."""

    key: str
    form: str
    date: str
    load: str = ""
    requests: int = 0
    failed: int = 0
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)
    error: str | None = None
    seconds: list[Second] = field(default_factory=list)

    @property
    def missed(self) -> list[Figure]:
        """Return the figures that do not keep to their bounds."""
        return [it for it in self.figures if not it.met]

    @property
    def met(self) -> bool:
        """Whether it went to its end, and each bound was met."""
        return self.error is None and not self.missed


class Results(Struct):
    """All of them, by key; and the machine that they were measured on."""

    machine: dict[str, str] = field(default_factory=dict)
    found: dict[str, Result] = field(default_factory=dict)


def save(results: Results, file: Path) -> None:
    """Write them."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(json.format(json.encode(results), indent=1) + b"\n")


def load(file: Path) -> Results:
    """Read what `save` wrote; nothing if there is no file."""
    return json.decode(file.read_bytes(), type=Results) if file.exists() else Results()
