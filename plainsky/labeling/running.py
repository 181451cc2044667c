"""The labeler of a running service, whole: the claims in force, the judge, the issuer with its streams, reports, and what goes on beside.

Promises: without [labeler] nothing of it runs, answers or costs; what goes by the config ends and begins anew with another one.
"""

from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

from aiohttp import web

from labeler.claims.bank import Bank
from labeler.declaration import did_document_parts
from labeler.gate import Gate
from labeler.issuer import Issuer
from labeler.issuing import Issuing
from labeler.judge import Judge
from labeler.persons import Persons
from labeler.service import LabelService
from models.database import Database
from plainsky.asking.did_documents import DidDocuments
from plainsky.asking.present import present
from plainsky.config.schema import Config
from plainsky.config.signing import signing_key
from plainsky.labeling import judge_of
from plainsky.labeling.banking import BankKeeper, given_of
from plainsky.labeling.canary import Canary
from plainsky.labeling.claims import Refresher
from plainsky.labeling.drifting import Drift
from plainsky.labeling.gating import GateKeeper
from plainsky.labeling.reporting import Tending, report_service
from plainsky.metrics import Metrics

Job = Coroutine[Any, Any, None]

UP_TO_DATE_SECONDS = 3600.0
"""Labels are renewed while the newest event stored is no older: who does not hear of deletions must not renew."""


class RunningLabeler:
    """`config` gives what is configured at the moment, `clock` seconds. `judge` is what posts are judged by."""

    def __init__(self, database: Database, metrics: Metrics, config: Callable[[], Config], clock: Callable[[], float]) -> None:
        self._database, self._metrics, self._config, self._clock = database, metrics, config, clock
        self.judge: Judge | None = None
        self.issuer: Issuer | None = None
        self._labels: LabelService | None = None
        self._bank, self._gate = Bank(), Gate()
        self._keeper = BankKeeper(database, self._bank, config, clock)
        self._gatekeeper = GateKeeper(database, self._gate, lambda: self.judge, metrics)
        self.drift = Drift(database, config, metrics)

    async def prepare(self, writes: bool) -> None:
        """Know claims, keys and what people judged, before anything is judged. OperatorError when the config cannot work here."""
        await self._keeper.prepare(writes)
        self.judge = self.judge_by(self._config())
        self._make_issuer(self._config())
        await self._gatekeeper.prepare()
        if writes:
            await self.drift.prepare()

    def _make_issuer(self, config: Config) -> None:
        if config.labeler is None:
            return
        limits = (config.labeler.throttle, config.labeler.breaker, config.labeler.seq_above)
        self.issuer = Issuer(config.labeler_did, signing_key(config), lambda: int(self._clock() * 1e6), *limits)
        self._labels = labels = LabelService(self._database, self.issuer)
        self._metrics.watch_each("plainsky_label_subscribers_behind", "Labels that a subscriber has not been sent", labels.subscribers)

    def judge_by(self, config: Config) -> Judge | None:
        """What posts would be judged by under a config."""
        return judge_of(config, given_of(config, self._bank), self._gate, self.drift.saw)

    @property
    def healthy(self) -> Callable[[], bool] | None:
        """Asks whether labels can be signed; None where none are."""
        return self._labels.healthy if self._labels else None

    def wake(self) -> None:
        """Labels are stored that subscribers have not been sent."""
        if self._labels:
            self._labels.wake()

    def jobs(self, writes: bool, tries: Callable[[Canary], None]) -> Iterator[Job]:
        """What runs until it is cancelled, by the config of now. `tries` is told of the canary: pages show what it finds out."""
        config = self._config()
        if writes and self.issuer and self._labels and self.judge:
            yield self._issuing(config, self.issuer, self._labels, self.judge).run()
            if config.canary:
                made = (self._database, self.issuer, Persons(config.labeler_did, config.labels), self.wake, self._metrics, self._clock)
                canary = Canary(config.canary, config.appview.url, *made)
                tries(canary)
                yield canary.run()
            yield Tending(config, self._database, self._metrics, self._clock).run()
        yield self._keeper.run()
        yield self._gatekeeper.run()
        if writes and config.claims.sources:
            yield Refresher(self._database, config.claims.sources, config.claims.refresh, self._clock).run()

    def _issuing(self, config: Config, issuer: Issuer, labels: LabelService, judge: Judge) -> Issuing:
        there = None if config.ingest.source == "replay" else partial(present, config.appview.url)
        issuing = Issuing(self._database, issuer, judge, config.labels, labels.wake, self._up_to_date, there=there)
        watch = self._metrics.watch
        watch("plainsky_labels_waiting", "Labels and negations that wait for room in the stream.", lambda: issuing.unissued)
        watch("plainsky_label_decisions_waiting", "Decisions of the labeler that wait for a person.", lambda: issuing.undecided)
        text = "Labels that the machine may not give until a person resumes."
        watch("plainsky_label_breakers_tripped", text, lambda: len(issuing.tripped))
        return issuing

    def _up_to_date(self) -> bool:
        return 0 < self._metrics.lag() < UP_TO_DATE_SECONDS

    def routes(self, documents: DidDocuments) -> list[web.RouteDef]:
        """Labels, as a list and as a stream, and reports."""
        if not self._labels:
            return []
        return [*self._labels.routes(), *report_service(self._config(), self._database, documents, self._clock).routes()]

    def did_document_parts(self) -> dict[str, list[dict[str, Any]]]:
        """What the service's own DID document says of the labeler, where it is the labeler's."""
        config = self._config()
        if self.issuer is None or config.labeler_did != config.service.did:
            return {}
        return did_document_parts(config.labeler_did, self.issuer.public_key, config.service.endpoint)

    async def close(self, _: web.Application) -> None:
        """Close the streams: the server ends."""
        if self._labels:
            await self._labels.close()
