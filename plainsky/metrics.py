"""Prometheus metrics: what came in, how far behind, what was dropped, how requests were answered. No number speaks of a reader."""

import time
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from plainsky.ingest import Position

EVENT_KINDS = {
    "PostCreated": "create",
    "PostUpdated": "update",
    "PostDeleted": "delete",
    "AccountChanged": "account",
    "IdentityChanged": "identity",
    "RepoReset": "sync",
}


class Metrics:
    """One registry per service; nothing is global."""

    content_type = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._watched: dict[str, Collector] = {}
        self._events = Counter("plainsky_events", "Events stored, by kind.", ["kind"], registry=self.registry)
        self._dropped = Counter("plainsky_dropped", "What upstream sent and we left out, by reason.", ["reason"], registry=self.registry)
        self._batch = Histogram(
            "plainsky_batch_seconds",
            "From a batch's start to its commit.",
            buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0),
            registry=self.registry,
        )
        self._connects = Counter("plainsky_connections", "Connections made to sources, by host.", ["host"], registry=self.registry)
        self._requests = Counter("plainsky_requests", "HTTP requests, by route and status.", ["nsid", "status"], registry=self.registry)
        self._log_time = Gauge("plainsky_log_time_seconds", "Upstream time of the newest event stored.", registry=self.registry)
        self._lag = Gauge("plainsky_lag_seconds", "How old the newest event stored is.", registry=self.registry)
        self._lag.set_function(self.lag)
        self._log_time_us = 0
        self._tries, self._reached = 0, False

    def batch(self, kinds: Mapping[str, int], dropped: Mapping[str, int], seconds: float, position: Position | None) -> None:
        """A batch was stored: its events by type name, what was dropped from it, how long it took, where it ends."""
        for kind, count in kinds.items():
            self._events.labels(EVENT_KINDS[kind]).inc(count)
        for reason, count in dropped.items():
            self._dropped.labels(reason).inc(count)
        self._batch.observe(seconds)
        if position:
            self.stored_up_to(position.time_us)

    def stored_up_to(self, log_time_us: int) -> None:
        """The stream is stored up to this upstream time (µs)."""
        self._log_time_us = max(log_time_us, self._log_time_us)
        self._log_time.set(self._log_time_us / 1e6)

    def dropped(self, reason: str, count: int = 1) -> None:
        """Upstream garbage was left out."""
        self._dropped.labels(reason).inc(count)

    def connecting(self) -> None:
        """A connection to a source is tried; whether it comes to stand is told by `connected`."""
        self._tries += 1

    def connected(self, host: str) -> None:
        """A connection to a source stands."""
        self._connects.labels(host).inc()
        self._reached = True

    @property
    def unreached(self) -> bool:
        """Whether no host of the source has let us in since the start, though one was tried and has failed."""
        return self._tries > 1 and not self._reached

    def request(self, nsid: str, status: int) -> None:
        """A request was answered."""
        self._requests.labels(nsid, status).inc()

    def lag(self) -> float:
        """Seconds between the newest event stored and now; 0 before the first."""
        return max(0.0, time.time() - self._log_time_us / 1e6) if self._log_time_us else 0.0

    def watch(self, name: str, text: str, value: Callable[[], float]) -> None:
        """A gauge that is read when it is asked for."""
        gauge = Gauge(name, text, registry=None)
        gauge.set_function(value)
        self._register(name, gauge)

    def watch_each(self, name: str, text: str, values: Callable[[], Iterable[float]]) -> None:
        """The sum, count and maximum of a changing set of values, such as how far behind each subscriber is."""
        self._register(name, _Spread(name, text, values))

    def watch_by(self, name: str, text: str, label: str, values: Callable[[], Mapping[str, float]]) -> None:
        """A gauge for each of some things, such as the lists of the config, by a label."""
        self.watch_by_all(name, text, (label,), lambda: {(thing,): value for thing, value in values().items()})

    def watch_by_all(self, name: str, text: str, labels: tuple[str, ...], values: Callable[[], Mapping[tuple[str, ...], float]]) -> None:
        """The same by several labels."""
        self._register(name, _Each(name, text, labels, values))

    def _register(self, name: str, collector: Collector) -> None:
        """Whatever was watched under this name is watched no more: it may be about what a reload has replaced."""
        if before := self._watched.pop(name, None):
            self.registry.unregister(before)
        self.registry.register(collector)
        self._watched[name] = collector

    def text(self) -> bytes:
        """The exposition that Prometheus reads."""
        return generate_latest(self.registry)


class _Spread(Collector):
    def __init__(self, name: str, text: str, values: Callable[[], Iterable[float]]) -> None:
        self._name, self._text, self._values = name, text, values

    def collect(self) -> Iterable[GaugeMetricFamily]:
        values = list(self._values())
        yield GaugeMetricFamily(f"{self._name}_count", f"{self._text}: how many.", len(values))
        yield GaugeMetricFamily(f"{self._name}_max", f"{self._text}: the largest.", max(values, default=0))


class _Each(Collector):
    def __init__(self, name: str, text: str, labels: tuple[str, ...], values: Callable[[], Mapping[tuple[str, ...], float]]) -> None:
        self._name, self._text, self._labels, self._values = name, text, labels, values

    def collect(self) -> Iterable[GaugeMetricFamily]:
        family = GaugeMetricFamily(self._name, self._text, labels=self._labels)
        for thing, value in self._values().items():
            family.add_metric(thing, value)
        yield family
