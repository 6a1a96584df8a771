"""What a run leaves behind: one line of JSON for the machine and for each repetition."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.rivals import PEAK
from benchmarks.spread import Spread


@dataclass(frozen=True)
class Sample:
    """One repetition: `work` units in `seconds`. For a size or a duration `work` is 1 and `seconds` the number.

    `others`: part of the machine that other processes used meanwhile, 0 to 1; None where it is not known.
    """

    case: str
    contender: str
    repetition: int
    seconds: float
    work: float
    others: float | None = None

    @property
    def rate(self) -> float:
        """Units in a second."""
        return self.work / self.seconds


@dataclass
class Results:
    """Everything of one run."""

    machine: dict[str, Any] = field(default_factory=dict)
    samples: list[Sample] = field(default_factory=list)
    remarks: list[dict[str, str]] = field(default_factory=list)
    """Who did not take part in a case or gave other numbers, and why."""

    def values(self, case: str, contender: str, what: str = "rate") -> list[float]:
        """A number of each repetition, in their order."""
        mine = [s for s in self.samples if s.case == case and s.contender == contender]
        return [float(getattr(s, what)) for s in sorted(mine, key=lambda s: s.repetition)]

    def contenders(self, case: str) -> list[str]:
        """Who took part, in the order of appearance."""
        return list(dict.fromkeys(s.contender for s in self.samples if s.case == case))

    def spread(self, case: str, contender: str, what: str = "rate") -> Spread:
        """Median and quartiles."""
        return Spread.of(self.values(case, contender, what))

    def cases(self) -> list[str]:
        """All cases that have samples."""
        return list(dict.fromkeys(s.case for s in self.samples))

    def peak(self) -> float:
        """Floating-point operations per second of the machine: the median of the run, else what was seen before it."""
        seen = [s.rate * 1e6 for s in self.samples if s.contender == PEAK]
        return Spread.of(seen).median if seen else float(self.machine["peak"])

    def remark(self, case: str, contender: str, text: str) -> None:
        """Keep a note for the report."""
        self.remarks.append({"case": case, "contender": contender, "text": text})

    def wrong(self, case: str) -> set[str]:
        """Who computed something else than the others."""
        return {r["contender"] for r in self.remarks if r["case"] == case and r["text"].startswith("wrong")}

    def write(self, path: Path) -> None:
        """As JSON lines."""
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [{"machine": self.machine}, *({"remark": r} for r in self.remarks), *map(asdict, self.samples)]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Results:
        """What `write` wrote."""
        return cls.from_lines(path.read_text(encoding="utf-8").splitlines())

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> Results:
        """Parse JSON lines."""
        results = cls()
        for line in lines:
            entry = json.loads(line)
            if "machine" in entry:
                results.machine = entry["machine"]
            elif "remark" in entry:
                results.remarks.append(entry["remark"])
            else:
                results.samples.append(Sample(**entry))
        return results
