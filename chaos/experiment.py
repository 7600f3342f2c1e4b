"""One disruption as it is tried: its load, what happened when, and each figure beside its bound.

The figures are kept whether or not the bounds were met; then a missed bound fails the test.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from chaos.catalogue import Disruption
from chaos.ledger import Comparison
from chaos.results import Figure, Mark, Result
from orders_operator.load.report import Report


class Experiment:
    """A disruption under observation, for the length of a `with` block."""

    def __init__(self, disruption: Disruption, form: str, keep: Callable[[Result], None]) -> None:
        """Begin with nothing.

        Args:
            disruption: which.
            form: the name of the size that it is tried in.
            keep: takes the result at the end.

        """
        self._result = Result(disruption.key, form, datetime.now(UTC).strftime("%Y-%m-%d"))
        self._marks: list[tuple[float, str]] = []
        self._began = time.time()
        self._keep = keep

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Keep the result.

        Raises:
            AssertionError: a bound was missed; the message has each that was, with its figure.

        """
        if error is not None:
            self._result.error = (str(error) or type(error).__name__).splitlines()[0]
        self._result.marks = [Mark(round(at - self._began, 1), text) for at, text in self._marks]
        self._keep(self._result)
        missed = [f"{it.what}: {it.measured}, {it.bound}" for it in self._result.missed]
        if error is None and missed:
            raise AssertionError("; ".join(missed))

    @property
    def key(self) -> str:
        """Return the disruption's."""
        return self._result.key

    def mark(self, text: str) -> float:
        """Note that something happens now; return the time."""
        now = time.time()
        self._marks.append((now, text))
        return now

    def note(self, text: str) -> None:
        """Keep a sentence for the report."""
        self._result.notes.append(text)

    def expect(self, what: str, measured: str, bound: str, *, met: bool) -> None:
        """Hold a figure against its bound; all three are texts for people."""
        self._result.figures.append(Figure(what, measured, bound, met))

    def none(self, what: str, found: int) -> None:
        """Expect that there are none."""
        self.expect(what, f"{found:,}", "0", met=found == 0)

    def at_most(self, what: str, found: float, bound: float, unit: str) -> None:
        """Expect a figure of a bound at most."""
        self.expect(what, f"{found:,.3g} {unit}", f"at most {bound:g} {unit}", met=found <= bound)

    def at_least(self, what: str, found: float, bound: float, unit: str) -> None:
        """Expect a figure of a bound at least."""
        said = f"{found:,.3g} {unit}", f"at least {bound:,.3g} {unit}"
        self.expect(what, *said, met=found >= bound)

    def loaded(self, report: Report, load: str) -> None:
        """Keep what the load was, and how it went; marks count from its start."""
        self._began = report.started_at.timestamp()
        self._result.load = load
        self._result.requests = report.requests
        self._result.failed = report.failed
        self._result.seconds = list(report.seconds)
        self._result.errors = dict(report.errors)

    def kept(self, compared: Comparison) -> None:
        """Expect that the database has what was acknowledged, and nothing else."""
        self.none(f"lost of {compared.acknowledged:,} acknowledged orders", compared.lost)
        self.none("stored otherwise than acknowledged", compared.different)
        self.none("doubled", compared.doubled)
