"""`/changes`: when a rule changed, why, and with which effect; and the whole log for whoever wants to check it."""

import msgspec

from models import changes
from models.changes import Change, Effect
from models.database import Database
from tests.support.garden import at
from tests.support.kept import Kept
from tests.support.pages import assert_safe, reading


def changed(number: int) -> Change:
    diff = ("- has the hashtag #garden", "+ has the hashtag #<b>gardens</b>")
    return Change("feed", "garden", "changed", "aa", f"{number:02x}", diff, Effect(3, 12_345, 7))


async def test_a_change_tells_its_reason_its_difference_and_its_effect(database: Database) -> None:
    kept = Kept(database)
    database.write_now(changes.append, [changed(1)], "Too many <i>pumpkins</i>", at(0))

    async with reading(kept) as reader:
        english, dutch = await reader.get("/changes"), await reader.get("/changes", "nl")

    assert_safe(english)
    assert english.texts("h2") == ["Changed garden"]
    assert english.texts(".reason") == ["Too many <i>pumpkins</i>"]
    assert english.texts(".diff li [dir]") == ["has the hashtag #garden", "has the hashtag #<b>gardens</b>"]
    assert "3 came in and 12 345 went; 7 authors concerned" in english.texts(".change .note")[0]
    assert dutch.texts("h2") == ["Veranderd garden"]


async def test_older_changes_are_behind_a_link(database: Database) -> None:
    kept = Kept(database)
    database.write_now(changes.append, [changed(number) for number in range(45)], "x", at(0))

    async with reading(kept) as reader:
        first = await reader.get("/changes?lang=fr")
        second = await reader.get(str(first.html.query("main p a")[-1].attrs["href"]))
        odd = await reader.get("/changes?before=x")

    ids = [[section.attrs["id"] for section in page.html.query(".change")] for page in (first, second)]
    assert ids == [[f"change-{45 - number}" for number in range(20)], [f"change-{25 - number}" for number in range(20)]]
    assert second.html.query_one("html").attrs["lang"] == "fr"
    assert odd.texts(".change h2") == ["Changed garden"] * 20


async def test_the_whole_log_can_be_checked_by_anybody(database: Database) -> None:
    kept = Kept(database)
    database.write_now(changes.append, [changed(1), changed(2)], "x", at(0))

    async with reading(kept) as reader:
        log = msgspec.json.decode((await reader.get("/changes.json")).body)["changes"]

    assert changes.broken(log) is None
    assert changes.broken([{**log[0], "reason": "y"}, log[1]]) is not None
    assert changes.broken(log[1:]) is not None
