"""What feeds know beside the posts, kept current: lists and starter packs, the labels of others, authors who opted out.

Order of a start: what was configured otherwise before is put right, then the jobs run beside ingest.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from feedgen.matcher import handles_of
from models import lists
from models.database import Database
from models.opt_outs import CONFIG
from models.post import OURS
from plainsky.asking.did_documents import DidDocuments
from plainsky.config.schema import Config
from plainsky.knowing.labelers import Labeler, prepare
from plainsky.knowing.lists import Lists
from plainsky.metrics import Metrics
from plainsky.pipeline.learning import learn, look_through, opted_out
from plainsky.pipeline.pruning import labels_needed_from
from plainsky.pipeline.storing import Outcome, Storer


def handles_in(config: Config) -> tuple[str, ...]:
    """Every handle that rules and `[opt_out]` name, each once."""
    return tuple(dict.fromkeys([*handles_of(config.feeds), *config.opt_out.handles]))


class Following:
    """Of one process, the one that writes."""

    def __init__(
        self,
        config: Config,
        database: Database,
        storer: Storer,
        documents: DidDocuments,
        metrics: Metrics,
        committed: Callable[[Outcome], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config, self._database, self._storer = config, database, storer
        self._documents, self._metrics, self._committed = documents, metrics, committed
        resolve = storer.rooms.known.handles.get
        self._authors, self._opting_out = config.opt_out.dids(resolve), config.opt_out.list_uris(resolve)
        self._lists = Lists(database, storer, config.appview.url, config.appview.refresh, self._opting_out, committed, clock)
        text = "How long ago a list or starter pack of the config was read."
        metrics.watch_by("plainsky_list_age_seconds", text, "list", self._lists.ages)

    @property
    def labelers(self) -> Mapping[str, frozenset[str]]:
        """By DID, the labelers of others, and the values that rules ask for."""
        rooms = self._storer.rooms
        return {src: values for src, values in rooms.matcher.labelers.items() if src not in (OURS, rooms.own_src)}

    async def prepare(self) -> None:
        """Put right what the config says otherwise than before; after a reload, batches slip in between."""
        await asyncio.to_thread(look_through, self._database, self._storer, self._config.opt_out)
        copies = self._storer.rooms.known.lists
        listed = {uri: copies[uri].members for uri in self._opting_out if uri in copies}
        await learn(self._database, self._storer, opted_out, {CONFIG: self._authors, **listed})
        await self._database.write(lists.forget, self._lists.wanted)
        await self._database.write(prepare, self.labelers)

    def jobs(self) -> list[Coroutine[Any, Any, None]]:
        """What runs until it is cancelled."""
        config = self._config
        floor = labels_needed_from(config.feeds, config.store.retention, config.ingest.import_after)
        made = (self._database, self._storer, self._documents, self._metrics, self._committed, floor)
        followed = [Labeler(did, values, *made).run() for did, values in sorted(self.labelers.items())]
        return [*followed, *([self._lists.run()] if self._lists.wanted else [])]
