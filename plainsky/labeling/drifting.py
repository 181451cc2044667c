"""Whether the network's posts are still like those that the text model was trained on: watched while posts are judged.

Promises: costs next to nothing a post, since few of them are scored; nothing of a post is kept, only counts, which outlive a restart while
the model is the same. Looked at are posts that name English, as the training's everyday posts were English.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from labeler.drift import Baseline, Measures, Window, expected_matches
from labeler.judge import Verdict
from labeler.stance.judging import shipped, shipped_text_model
from models import settings
from models.database import Database
from models.post import Post
from models.text_model import TextModel
from plainsky.config.schema import Config, Labeler
from plainsky.labeling.banking import asks
from plainsky.metrics import Metrics
from plainsky.patience import AWAY, patiently

log = logging.getLogger(__name__)

ONE_IN = 50
"""Of so many posts, one is scored."""
LOOK_SECONDS = 60.0
KEEP_LOOKS = 10
"""Counts are stored at every so manieth look, and in the end."""
_SETTING = "drift"


class Drift:
    """`saw` is told of each post that is judged. `config` gives what is configured at the moment."""

    def __init__(self, database: Database, config: Callable[[], Config], metrics: Metrics, one_in: int = ONE_IN) -> None:
        self._database, self._config, self._one_in = database, config, one_in
        self._model: TextModel | None = None
        self._window: Window | None = None
        self._turn = 0
        self._state = ""
        for name, text in _METRICS.items():
            metrics.watch_by_all(f"plainsky_drift_{name}", text, (), self._one(name))

    def saw(self, post: Post, verdicts: Sequence[Verdict]) -> None:
        """A post was judged. Called by the thread that stores posts."""
        if self._window is None or self._model is None or not any(lang[:3].lower() in ("en", "en-") for lang in post.langs):
            return
        self._window.count(bool(verdicts) and self._speak_of_truth(verdicts))
        self._turn += 1
        if self._turn >= self._one_in and post.text:
            self._turn = 0
            scored = self._model.score(post.text)
            self._window.add(scored.value, scored.coverage)

    def _speak_of_truth(self, verdicts: Sequence[Verdict]) -> bool:
        tests = {policy.value for policy in self._config().labels if policy.is_test}
        return any(verdict.value not in tests for verdict in verdicts)

    @property
    def measures(self) -> Measures | None:
        """What the latest posts were like; None when nothing is watched."""
        return self._window.measures() if self._window else None

    def told(self) -> Mapping[str, Any] | None:
        """For the health report: never a reason to be unwell."""
        found = self.measures
        return {"ok": True, "state": found.state, **_plain(found)} if found else None

    def _one(self, name: str) -> Callable[[], Mapping[tuple[str, ...], float]]:
        def value() -> Mapping[tuple[str, ...], float]:
            found = self.measures
            number = None if found is None else getattr(found, name)
            return {} if number is None else {(): number}

        return value

    async def prepare(self) -> None:
        """Begin to watch, if there is a label that the model has a say in, and go on from what was counted before."""
        if not asks(self._config().labels):
            return
        labeler = self._config().labeler or Labeler()
        model = await asyncio.to_thread(shipped_text_model) if labeler.text_model is None else labeler.text_model
        if model == self._model or "everyday" not in model.weights.features:
            return
        card = (labeler.scorecard or shipped()).weights.card
        window = Window(Baseline.from_plain(model.weights.features["everyday"]), matches_then=expected_matches(card))
        kept = await self._database.read(settings.get, _SETTING)
        if kept and (plain := msgspec.json.decode(kept))["model"] == model.hash:
            window.restore(plain["counts"])
        self._model, self._window = model, window

    async def run(self) -> None:
        """Until cancelled: tell when the state is another, and keep the counts."""
        looks = 0
        try:
            while True:
                await patiently(self.prepare)
                self.look()
                looks += 1
                if looks % KEEP_LOOKS == 0:
                    await patiently(self.keep)
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            with contextlib.suppress(*AWAY):
                await self.keep()

    def look(self) -> None:
        """Tell in the log when the state is another than at the last look."""
        found = self.measures
        if found is None or found.state == self._state:
            return
        before, self._state = self._state, found.state
        if found.state in ("moving", "drifted"):
            log.warning("posts are no longer like those that the text model was trained on (%s): %s", found.state, _plain(found))
        elif before in ("moving", "drifted"):
            log.info("posts are again like those that the text model was trained on: %s", _plain(found))

    async def keep(self) -> None:
        """Store the counts."""
        if self._window and self._model:
            plain = {"model": self._model.hash, "counts": self._window.plain()}
            await self._database.write(settings.put, _SETTING, msgspec.json.encode(plain).decode())


def _plain(found: Measures) -> dict[str, Any]:
    return {name: round(value, 6) for name, value in found._asdict().items() if value is not None}


_METRICS = {
    "posts": "Posts whose score by the text model was looked at.",
    "shift": "How far their scores are from those of the training's everyday posts: population stability index.",
    "coverage": "The share of their words that the text model knows.",
    "coverage_then": "The same of the training's everyday posts.",
    "judged": "Posts among which those that there was a reason to label are counted.",
    "matches": "The share of judged posts that there was a reason to label.",
    "matches_then": "The most that the scorecard's card holds for possible among everyday posts.",
}
