"""When failures stop being bad luck."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ErrorBudget:
    """How many failed calls a session survives.

    Attributes:
        failures: This many failures …
        window_s: … within this time end the session.
    """

    failures: int = 5
    window_s: float = 10.0


class FailureWindow:
    """Remembers the failures of one session."""

    def __init__(self, budget: ErrorBudget, clock: Callable[[], float] = time.monotonic) -> None:
        self._window_s = budget.window_s
        self._clock = clock
        self._times: deque[float] = deque(maxlen=budget.failures)

    def record(self) -> bool:
        """Count a failure now; return whether the budget is spent."""
        now = self._clock()
        self._times.append(now)
        return len(self._times) == self._times.maxlen and now - self._times[0] <= self._window_s
