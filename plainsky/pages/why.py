"""`/why?uri=`: a post and all feeds, for people and (`/why.json`) for programs. Who asked for what is nowhere kept."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from aiohttp import hdrs, web

from feedgen.feed import Feed
from feedgen.matcher import Verdict
from feedgen.rules import Nest
from models.database import Session
from models.post import Post
from models.protocol.syntax import format_datetime
from plainsky.pages.answering import HTML, JSON, LONGEST, OPEN, Answers, Asker, page_headers
from plainsky.pages.asking import Asking, Cannot, asked
from plainsky.pages.facts import CODES, address, named
from plainsky.pages.languages import Language
from plainsky.pages.marking import Found, Piece, pieces
from plainsky.pages.sentences import rule_at, sentence
from plainsky.pages.signs import LabelSays, signs
from plainsky.pages.site import Site
from plainsky.pages.whys import PAGE, FeedWhy, OnPage, Why, beyond_counting, why_fetched, why_stored

STATUS = {"not_a_post": 400, "unknown_handle": 404, "gone": 404, "busy": 429, "away": 503}
RETRY = {"busy": "60", "away": "60"}


class RuleSays(msgspec.Struct, frozen=True, rename="camel"):
    """What one rule says; `depth` counts the rules that it is within."""

    rule: str
    part: str
    depth: int
    kind: str
    sentence: str
    language: str
    holds: bool
    words: tuple[str, ...]


class FeedSays(msgspec.Struct, frozen=True, rename="camel"):
    """Whether the post is in a feed. `position` counts from 1; `by` is the include that lets it in, whether or not it is held back."""

    rkey: str
    name: str
    name_language: str
    is_in: bool
    state: str
    said: str
    position: int | None
    on_page: OnPage | None
    by: str | None
    rules: tuple[RuleSays, ...]


class PostSays(msgspec.Struct, frozen=True, rename="camel"):
    """The post, its texts in pieces, of which some were found by rules."""

    text: tuple[Piece, ...]
    alts: tuple[tuple[Piece, ...], ...]
    card: tuple[tuple[Piece, ...], ...]
    langs: tuple[str, ...]


class Answer(msgspec.Struct, frozen=True, rename="camel"):
    """`/why.json`: `state` is "stored", "fetched", "deleted", "opted_out", "inactive", or why nothing can be said."""

    state: str
    language: str
    said: str | None = None
    uri: str | None = None
    url: str | None = None
    author: str | None = None
    written_at: str | None = None
    post: PostSays | None = None
    feeds: tuple[FeedSays, ...] = ()
    labels: tuple[LabelSays, ...] = ()


class WhyPages:
    """The form and the answer."""

    def __init__(self, site: Site, answers: Answers, asking: Asking) -> None:
        self._site, self._answers, self._asking = site, answers, asking

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        return [web.get("/why", self.why), web.get("/why.json", self.why_json)]

    async def why(self, request: web.Request) -> web.Response:
        """The form; with a post, the answer below it."""
        asker, written = Asker(request), request.query.get("uri", "")
        answer = await self._answer(written, asker.lang) if written.strip() else None
        body = self._answers.html(asker, "why.html", written=written[:LONGEST], answer=answer, page_size=PAGE, codes=CODES)
        return self._answers.once(body, HTML, page_headers(asker) | _retry(answer), _status(answer))

    async def why_json(self, request: web.Request) -> web.Response:
        """The answer as JSON."""
        answer = await self._answer(request.query.get("uri", ""), Asker(request).lang)
        return self._answers.once(msgspec.json.encode(answer), JSON, OPEN | _retry(answer), _status(answer))

    async def _answer(self, written: str, lang: Language) -> Answer:
        try:
            why = await self._why(written)
        except Cannot as cannot:
            return Answer(str(cannot), lang.code, lang(f"why_post.{cannot}"))
        judge = self._site.rooms().judge
        labels = await asyncio.to_thread(signs, judge, why.post, lang) if judge and why.post else ()  # the first time, models are read
        return msgspec.structs.replace(answered(why, lang), labels=labels)

    async def _why(self, written: str) -> Why:
        actor, rkey = asked(written)
        did = await self._asking.did(actor)
        database = self._site.database
        found = await database.read(self._stored, did, rkey)
        if found is None:
            fetched = await self._asking.post(did, rkey)
            found = await database.read(why_fetched, self._site.rooms(), did, rkey, fetched.cid, fetched.post)
        return found

    def _stored(self, session: Session, did: str, rkey: str) -> Why | None:
        return why_stored(session, self._site.rooms(), did, rkey)


def answered(why: Why, lang: Language) -> Answer:
    """What is said in a language."""
    return Answer(
        state=why.state,
        language=lang.code,
        said=_said_of_post(why, lang),
        uri=why.uri,
        url=address(why.did, why.rkey),
        author=why.handle or why.did,
        written_at=format_datetime(why.written_at) if why.written_at is not None and why.post else None,
        post=_post(why.post, list(_found(why.feeds))) if why.post else None,
        feeds=tuple(_feed(each, lang) for each in sorted(why.feeds, key=lambda each: not each.is_in)),
    )


def _said_of_post(why: Why, lang: Language) -> str | None:
    if why.state == "stored":
        return None
    return lang("why.fetched") if why.state == "fetched" else lang(f"why_post.{why.state}")


def _found(feeds: Sequence[FeedWhy]) -> Iterator[Found]:
    """What rules that let in, or are needed, found: of feeds whose rules let the post in, or of all where there is none such."""
    entering = [each for each in feeds if each.explained and each.explained.enters] or feeds
    for each in entering:
        for verdict in each.explained.verdicts if each.explained else ():
            if verdict.words:
                yield Found(rule_at(each.feed, verdict.rule), verdict.words)


def _post(post: Post, found: Sequence[Found]) -> PostSays:
    return PostSays(
        tuple(pieces(post.text, "text", found)),
        tuple(tuple(pieces(alt, "alt", found)) for alt in post.alts if alt.strip()),
        tuple(tuple(pieces(part, "link", found)) for part in post.card if part.strip()),
        post.langs,
    )


def _feed(each: FeedWhy, lang: Language) -> FeedSays:
    said, position = named(each.feed, lang), each.position
    return FeedSays(
        rkey=each.feed.rkey,
        name=said.name,
        name_language=said.lang,
        is_in=each.is_in,
        state=each.state,
        said=_said(each, lang),
        position=position,
        on_page=OnPage.of(position) if position and not beyond_counting(position) else None,
        by=each.by,
        rules=tuple(_rule(each.feed, verdict, lang) for verdict in each.explained.verdicts) if each.explained else (),
    )


def _said(each: FeedWhy, lang: Language) -> str:
    more = each.position is not None and beyond_counting(each.position)
    return lang(f"why_state.{each.state}", n=each.position or 0, more=more, length=lang.length(each.feed.window))


def _rule(feed: Feed, verdict: Verdict, lang: Language) -> RuleSays:
    rule = rule_at(feed, verdict.rule)
    told = sentence(rule, verdict.rule, lang)
    nest = lang.known(f"why_rules.{rule.kind}", "") if isinstance(rule, Nest) else ""  # the rules within follow, one by one
    return RuleSays(
        rule=verdict.rule,
        part=verdict.rule.partition("[")[0],
        depth=verdict.rule.count(".rules["),
        kind=verdict.kind,
        sentence=nest or told.text,
        language=lang.code if nest else told.lang,
        holds=verdict.words is not None,
        words=verdict.words or (),
    )


def _status(answer: Answer | None) -> int:
    return STATUS.get(answer.state, 200) if answer else 200


def _retry(answer: Answer | None) -> dict[str, Any]:
    wait = RETRY.get(answer.state) if answer else None
    return {hdrs.RETRY_AFTER: wait} if wait else {}
