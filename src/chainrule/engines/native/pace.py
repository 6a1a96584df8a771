"""How many threads a training run uses from moment to moment.

The threads of a step wait for each other, so on a machine that is busy with other work one thread can be faster than
two that are never both running. The bits do not depend on the number of threads, so it may change at any step.
"""

from __future__ import annotations

BUSY = 0.75
"""Below this share of a thread's time on a processor the threads are taken to be kept waiting."""
PATIENCE = 20
"""Chunks until the other number of threads is tried again."""


class Pace:
    """All threads while they are really running; one where that is faster."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.threads = most
        self._seconds: dict[int, float] = {}
        self._wait = 0

    def limit(self, most: int) -> None:
        """There may be so many threads from now on."""
        if most != self.most:
            self.most = self.threads = most
            self._seconds, self._wait = {}, 0

    def note(self, seconds_per_step: float, seconds: float, processor_seconds: float) -> None:
        """Take note of a chunk, and choose for the next one."""
        self._seconds[self.threads] = seconds_per_step
        self._wait -= 1
        if self.most == 1 or self._wait > 0:
            return
        if self.threads == self.most:
            kept_waiting = processor_seconds < BUSY * self.most * seconds
            if kept_waiting:
                self.threads = 1
        elif seconds_per_step >= self._seconds[self.most]:
            self.threads, self._wait = self.most, PATIENCE
        elif self._wait == 0:
            self.threads = self.most
        else:
            self._wait = PATIENCE
