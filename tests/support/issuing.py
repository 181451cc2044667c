"""A labeler that issues under a throttle while its stream is read, to be killed at any moment.

`python -m tests.support.issuing DATABASE-URL`: serves on a port that it prints, decides on one post after the other (their numbers go on
where the database stands), and issues what waits, until it is killed.
"""

import asyncio
import sys
import time

from labeler.issuer import Issuer
from labeler.issuing import Issuing
from labeler.limits import Throttle
from labeler.service import LabelService
from models import decisions
from models.database import Database
from models.protocol.k256 import PrivateKey
from tests.support.labels import CIDS, SRC, deleted, judge, judged, running

KEY = PrivateKey(b"\x0b" * 32)


async def main(url: str) -> None:
    """Until killed."""
    database = Database(url)
    database.open()
    # A clock that runs fast: the throttle's seconds pass in the test's milliseconds.
    issuer = Issuer(SRC, KEY, lambda: int(time.time() * 100e6), Throttle(per_second=5, per_hour=10_000, per_day=100_000))
    service = LabelService(database, issuer, poll=0.02)
    issuing = Issuing(database, issuer, judge(), (), service.wake, lambda: False, poll=0.01)
    async with running(service) as runner:
        print(runner.addresses[0][1], flush=True)
        working = asyncio.create_task(issuing.run())
        number = await database.read(decisions.last_id)
        while not working.done():
            number += 1
            items = [judged(f"post{number:06}", CIDS[0])] + ([deleted(f"post{number - 3:06}")] if number % 4 == 0 else [])
            if await database.write(issuer.apply, items):
                service.wake()
            await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
