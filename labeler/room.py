"""How much may be issued now: the throttle and the breakers, asked inside the transaction that issues.

Promises: in any stretch of a window's length the log holds no more labels than the window allows, in whatever batches they come, through
any restart: the log itself is what is counted. Of one value the machine decides on exactly as many labels an hour as its breaker allows.
"""

import logging
from collections.abc import Sequence

from labeler.limits import WEEK_HOURS, Breaker, Window
from models import label_rates, labels
from models.database import Session
from models.label_rates import HOUR, Before, Tripped

log = logging.getLogger(__name__)

NO_END = 2**63
GENEROUS = 64
"""How many labels are asked for at once: to ask costs a look at the log."""


class Room:
    """Counts what one transaction issues at `now` (µs), after `last_seq`."""

    def __init__(self, session: Session, for_labels: Sequence[Window], for_negations: Sequence[Window], last_seq: int, now: int) -> None:
        self._session, self._last_seq, self._now = session, last_seq, now
        # By whether it is a negation.
        self._windows = (for_labels, for_negations)
        self._proven = [0, 0]
        self._full = [False, False]
        self.issued = 0

    def take(self, neg: bool) -> bool:
        """There is room for one more, and it is taken."""
        wanted = self.issued + 1
        if wanted > self._proven[neg] and not self._prove(neg, wanted):
            return False
        self.issued = wanted
        return True

    def _prove(self, neg: bool, wanted: int) -> bool:
        if self._full[neg]:
            return False
        if not self._windows[neg]:
            self._proven[neg] = NO_END
            return True
        for upto in (wanted + GENEROUS, wanted):
            if self._is_free(self._windows[neg], upto):
                self._proven[neg] = upto
                return True
        self._full[neg] = True
        return False

    def _is_free(self, windows: Sequence[Window], upto: int) -> bool:
        """Whether `upto` labels may be issued: those that many places before the last of them are out of their windows.

        Seqs count without a break, but for a head start after a loss: who is not there is not counted.
        """
        places = [(self._last_seq + upto - window.labels, window.length) for window in windows]
        if any(seq > self._last_seq for seq, _ in places):
            return False
        asked = {seq for seq, _ in places if seq > 0}
        known = labels.issued_at(self._session, asked) if asked else {}
        # What was issued "later" than a window from now was issued by a clock that was wrong.
        return not any(-length <= self._now - known[seq] < length for seq, length in places if seq in known)


class Baselines:
    """What hours before this one held. They change no more, so they are read once an hour."""

    def __init__(self) -> None:
        self._hour = -1
        self._known: dict[str, Before] = {}

    def of(self, session: Session, val: str, hour: int) -> Before:
        """The week before an hour."""
        if hour != self._hour:
            self._hour, self._known = hour, {}
        if val not in self._known:
            self._known[val] = label_rates.before(session, val, hour, WEEK_HOURS)
        return self._known[val]


class Guard:
    """The breakers, in one transaction at `now` (µs); `tripped`: some are open. `close` writes down what was counted."""

    def __init__(self, session: Session, breaker: Breaker | None, baselines: Baselines, tripped: bool, now: int) -> None:
        self._session, self._breaker, self._baselines, self._now = session, breaker, baselines, now
        self._hour = now // HOUR
        self._were_left: dict[str, int] = {}
        self._left: dict[str, int] = {}
        self._tripped = label_rates.tripped(session) if breaker and tripped else {}

    def lets(self, val: str) -> bool:
        """The machine may decide on one more label of this value."""
        if self._breaker is None:
            return True
        if val in self._tripped:
            return False
        left = self._left.get(val)
        if left is None:
            left = self._were_left[val] = self._allowed(val) - label_rates.in_hour(self._session, val, self._hour)
        if left <= 0:
            self._trip(val)
            return False
        self._left[val] = left - 1
        return True

    def close(self) -> None:
        """Write down how many there were."""
        for val, left in self._left.items():
            label_rates.count(self._session, val, self._hour, self._were_left[val] - left)

    def _allowed(self, val: str) -> int:
        assert self._breaker
        return self._breaker.allowed(self._baselines.of(self._session, val, self._hour))

    def _trip(self, val: str) -> None:
        assert self._breaker
        why = self._breaker.why(self._allowed(val), self._baselines.of(self._session, val, self._hour))
        self._tripped[val] = Tripped(val, self._now, why)
        label_rates.trip(self._session, self._tripped[val])
        log.error('the breaker of label "%s" has tripped: %s. What follows waits for a person: docs/labels.md', val, why)
