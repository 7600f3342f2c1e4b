"""The results of disruptions, as kept in JSON: the report is made only from these.

A run replaces the results of the disruptions that it tried and keeps the others, so one can be
tried again alone. Each disruption is one line, and each second of its load an array in the order
of `Second`, with latencies in seconds to the microsecond. So a run changes only its own lines.
"""

from pathlib import Path
from typing import Any

from msgspec import Struct, convert, field, json, to_builtins
from msgspec.structs import astuple

from orders_operator.load.report import Second


class Figure(Struct, frozen=True):
    """What was measured beside its bound, in words for people."""

    what: str
    measured: str
    bound: str
    met: bool


class Mark(Struct, frozen=True):
    """An event, in seconds after the load began."""

    at: float
    text: str


class Result(Struct):
    """The result of one disruption; `form` names the size of the run."""

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
    found = ",\n".join(f"{_json(key)}:{_json(_kept(it))}" for key, it in results.found.items())
    text = f'{{"machine":{_json(results.machine)},\n"found":{{\n{found}\n}}}}\n'
    file.write_text(text, "utf-8")


def load(file: Path) -> Results:
    """Read what `save` wrote; nothing if there is no file."""
    if not file.exists():
        return Results()
    kept = json.decode(file.read_bytes())
    for result in kept["found"].values():
        result["seconds"] = [Second(*row) for row in result["seconds"]]
    return convert(kept, Results)


def _kept(result: Result) -> dict[str, Any]:
    rows = [[round(value, 6) for value in astuple(second)] for second in result.seconds]
    return {**to_builtins(result), "seconds": rows}


def _json(value: object) -> str:
    return json.encode(value).decode()
