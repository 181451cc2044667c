"""The pages in Chromium, of a service that reads a real network: by keyboard, in every language, size and colour (issue 4)."""

import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support import cannot_run
from tests.support.browser import Page, browsing
from tests.support.network import Net, Ref
from tests.support.programs import Service, wait_until

TABLES = """
[opt_out]
hashtags = ["browser-no-feeds"]

[[feeds]]
rkey = "gardens"
name = "Gardens"
description = "All about gardens, newest first."
locales.nl = { name = "Tuinen", description = "Alles over tuinen, het nieuwste eerst." }
per_author = { posts = 3, every = "1d" }

[[feeds.include]]
kind = "hashtag"
any = ["browsergarden"]

[[feeds.include]]
kind = "all"
rules = [{ kind = "keyword", any = ["rose*"] }, { kind = "none", rules = [{ kind = "reply" }] }]

[[feeds.exclude]]
kind = "label"
any = ["porn"]

[[feeds]]
rkey = "cats"
name = "Cats"

[[feeds.include]]
kind = "hashtag"
any = ["browsercats"]
"""


@pytest.fixture(scope="module", autouse=True)
def rosalind(net: Net) -> None:
    """An account of these tests' own."""
    net.account("rosalind")


@pytest.fixture
def pages(net: Net, service: Callable[..., Service]) -> Service:
    """The service, which reads what happens."""
    started = service(net.config(TABLES))

    def reads() -> bool:
        net.post("rosalind", "hello #browsercats")
        return entries(started, "cats") > 0

    wait_until(reads, 30, "the service reads what happens")
    return started


@pytest.fixture
def posts(net: Net, pages: Service) -> list[Ref]:
    """Posts that the service has stored, two of which a limit holds back."""
    made = [net.post("rosalind", f"{number} roses in my #browsergarden", langs=["en"]) for number in range(5)]
    wait_until(lambda: entries(pages, "gardens") == 3, 30, "the posts are stored")
    return made


def entries(service: Service, rkey: str) -> int:
    """How many a feed shows."""
    return len(service.get(f"/feeds/{rkey}.json")[1]["newest"])


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[Page]:
    """A browser's tab."""
    try:
        async with browsing(tmp_path / "chromium") as page:
            yield page
    except subprocess.CalledProcessError as error:
        cannot_run(f"the browser could not be installed: {error}")


async def test_a_reader_comes_from_the_start_page_to_the_reason_of_a_post_by_keyboard(pages: Service, tab: Page, posts: list[Ref]) -> None:
    await tab.looks(1280, 900, dark=False)
    await tab.goto(f"{pages.url}/")
    await tab.tab_to("a.skip")
    await tab.press("Enter")
    await tab.tab_to("section.feed h2 a")
    await tab.press("Enter")
    await tab.loaded()
    assert await tab.js("document.querySelector('h1').textContent") == "Gardens"

    await tab.tab_to(".because a")
    await tab.press("Enter")
    await tab.loaded()

    assert await tab.js("document.querySelector('h1').textContent") == "Why this post?"
    assert "#browsergarden" in await tab.js("[...document.querySelectorAll('mark')].map(mark => mark.textContent).join()")
    assert (await tab.js("document.querySelector('.verdict.in').innerText")).split()[:2] == ["In", "Gardens"]
    assert {urlsplit(url).netloc for url in tab.requests} == {f"localhost:{pages.port}"}


async def test_a_reader_pastes_a_link_and_learns_that_a_limit_holds_the_post_back(
    pages: Service, tab: Page, net: Net, posts: list[Ref]
) -> None:
    await tab.goto(f"{pages.url}/why")
    await tab.tab_to("input#uri")
    await tab.write(f"https://bsky.app/profile/rosalind.test/post/{posts[4].rkey}")
    await tab.press("Enter")
    await tab.loaded()

    assert "held back by the limit for authors" in await tab.js("document.querySelector('.verdict').innerText")


def test_a_post_that_the_service_never_stored_is_judged_as_the_network_has_it(
    net: Net, posts: list[Ref], service: Callable[..., Service]
) -> None:
    net.process()
    later = service(net.config(TABLES))  # begins to read when the posts are past
    status, answer = later.get(f"/why.json?uri={posts[0].uri}")
    gone, _ = later.get(f"/why.json?uri=at://{net.did('rosalind')}/app.bsky.feed.post/3aaaaaaaaaaaa")

    assert (status, answer["state"], answer["feeds"][0]["state"], gone) == (200, "fetched", "not_met", 404)


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (360, 740)], ids=["wide", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_axe_finds_nothing_and_nobody_scrolls_sideways(
    pages: Service, tab: Page, posts: list[Ref], width: int, height: int, dark: bool
) -> None:
    await tab.looks(width, height, dark)
    for language in ("en", "nl", "fr"):
        for path in ("/", "/feeds/gardens", "/feeds/none", "/why", f"/why?uri={posts[0].uri}", "/why?uri=x", "/changes", "/status"):
            await tab.goto(f"{pages.url}{path}{'&' if '?' in path else '?'}lang={language}")
            assert (path, await tab.axe()) == (path, [])
            assert (path, await tab.overflows()) == (path, False)

    assert {urlsplit(url).netloc for url in tab.requests} == {f"localhost:{pages.port}"}
