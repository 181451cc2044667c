"""What the labeler does beside the posts, in the process that writes, by one config."""

from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any, NamedTuple

from labeler.gate import Gate
from labeler.issuer import Issuer
from labeler.issuing import Issuing
from labeler.judge import Judge, Saw
from labeler.persons import Persons
from labeler.service import LabelService
from labeler.signals import Given
from models.database import Database
from plainsky.asking.present import present
from plainsky.config.hashing import config_hash
from plainsky.config.schema import Config
from plainsky.labeling.canary import Canary
from plainsky.metrics import Metrics

UP_TO_DATE_SECONDS = 3600.0
"""Labels are renewed while the newest event stored is no older: who does not hear of deletions must not renew."""


class Labeling(NamedTuple):
    """The labeler of a running service. `tries` is told of the canary, so that pages can show what it finds out."""

    database: Database
    metrics: Metrics
    issuer: Issuer
    labels: LabelService
    clock: Callable[[], float]
    tries: Callable[[Canary], None]

    def jobs(self, config: Config, judge: Judge) -> Iterator[Coroutine[Any, Any, None]]:
        """What runs until it is cancelled."""
        yield self._issuing(config, judge).run()
        if config.canary:
            persons = Persons(config.labeler_did, config.labels)
            made = (self.database, self.issuer, persons, self.labels.wake, self.metrics, self.clock)
            canary = Canary(config.canary, config.appview.url, *made)
            self.tries(canary)
            yield canary.run()

    def _issuing(self, config: Config, judge: Judge) -> Issuing:
        there = None if config.ingest.source == "replay" else partial(present, config.appview.url)
        issuing = Issuing(self.database, self.issuer, judge, config.labels, self.labels.wake, self._up_to_date, there=there)
        watch = self.metrics.watch
        watch("plainsky_labels_waiting", "Labels and negations that wait for room in the stream.", lambda: issuing.unissued)
        watch("plainsky_label_decisions_waiting", "Decisions of the labeler that wait for a person.", lambda: issuing.undecided)
        text = "Labels that the machine may not give until a person resumes."
        watch("plainsky_label_breakers_tripped", text, lambda: len(issuing.tripped))
        return issuing

    def _up_to_date(self) -> bool:
        return 0 < self.metrics.lag() < UP_TO_DATE_SECONDS


def judge_of(config: Config, given: Given, gate: Gate | None = None, saw: Saw | None = None) -> Judge | None:
    """Judges by the config's labels, what signals may ask and what people found of it; None without a labeler. `saw` as of `Judge`."""
    return Judge(config.labels, gate, {"config": config_hash(config)}, given, saw) if config.labeler else None
