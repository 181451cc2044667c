"""Headless Chromium for tests, by its DevTools protocol: keys, sizes, colours, and what axe-core says.

Source: chromedevtools.github.io/devtools-protocol.
"""

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.programs import ROOT, Program

KEYS = {"Tab": 9, "Enter": 13}
MOST_TABS = 80
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--remote-debugging-port=0",
    "--disable-dev-shm-usage",
)


def folder() -> Path:
    """Where tests/browser/install.sh puts axe-core."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("PLAINSKY_BROWSER_DIR") or cache / "plainsky" / "browser")


class Page:
    """A tab. `requests` are the addresses of all that it asked for."""

    def __init__(self, socket: "aiohttp.ClientWebSocketResponse[Any]") -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._loaded = asyncio.Event()
        self._session = ""
        self.requests: list[str] = []

    async def open(self) -> None:
        """A new tab."""
        target = await self.call("Target.createTarget", url="about:blank")
        self._session = (await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True))["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            await self.call(f"{domain}.enable")

    async def listen(self) -> None:
        """Take what the browser says, until it is gone."""
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told)
            elif told["method"] == "Page.loadEventFired":
                self._loaded.set()
            elif told["method"] == "Network.requestWillBeSent":
                self.requests.append(told["params"]["request"]["url"])

    async def call(self, method: str, **parameters: Any) -> Any:
        """A command; its result."""
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        session = {"sessionId": self._session} if self._session else {}
        await self._socket.send_str(json.dumps({"id": number, "method": method, "params": parameters, **session}))
        async with asyncio.timeout(30):
            told = await self._answers[number]
        assert "error" not in told, (method, told)
        return told["result"]

    async def looks(self, width: int, height: int, dark: bool) -> None:
        """How large the window is, and which colours its reader likes."""
        phone = width < 600
        await self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])

    async def goto(self, url: str) -> None:
        """A page, loaded."""
        self._loaded.clear()
        await self.call("Page.navigate", url=url)
        await self.loaded()

    async def loaded(self) -> None:
        """The page that is on its way."""
        async with asyncio.timeout(30):
            await self._loaded.wait()

    async def js(self, expression: str) -> Any:
        """The value of an expression, awaited."""
        told = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def press(self, key: str) -> None:
        """A key, down and up."""
        self._loaded.clear()
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=KEYS[key], **text)

    async def write(self, text: str) -> None:
        """Text, into what has the focus."""
        await self.call("Input.insertText", text=text)

    async def tab_to(self, selector: str) -> None:
        """Tab until the focus is on an element of this kind; whatever has it on the way can be seen to have it."""
        for _ in range(MOST_TABS):
            await self.press("Tab")
            seen = await self.js(
                "(e => ({there: e.matches(" + json.dumps(selector) + "), outline: getComputedStyle(e).outlineStyle,"
                " height: e.getBoundingClientRect().height}))(document.activeElement)"
            )
            assert seen["outline"] != "none", seen
            assert seen["height"] > 0, seen
            if seen["there"]:
                return
        raise AssertionError(f"the keyboard does not come to {selector}")

    async def axe(self) -> list[str]:
        """What axe-core finds wrong with the page: rule, help and the elements."""
        await self.js((folder() / "node_modules" / "axe-core" / "axe.min.js").read_text() + ";0")
        found = await self.js("axe.run(document).then(found => found.violations)")
        return [f"{one['id']}: {one['help']}: {[node['html'] for node in one['nodes']][:3]}" for one in found]

    async def overflows(self) -> bool:
        """Whether one has to scroll sideways."""
        return bool(await self.js("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@contextlib.asynccontextmanager
async def browsing(profile: Path) -> AsyncIterator[Page]:
    """A tab of a browser of its own. subprocess.CalledProcessError when it cannot be installed."""
    await asyncio.to_thread(subprocess.run, [ROOT / "tests" / "browser" / "install.sh"], check=True)
    chromium = shutil.which("chromium")
    assert chromium
    program = Program([chromium, *FLAGS, f"--user-data-dir={profile}", "about:blank"], profile.with_suffix(".log"))
    try:
        port_file = profile / "DevToolsActivePort"
        program.wait_ready(lambda: port_file.exists() and port_file.read_text().count("\n") > 0, 30)
        port, path = port_file.read_text().split("\n")[:2]
        async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://127.0.0.1:{port}{path}", max_msg_size=0) as socket:
            page = Page(socket)
            listening = asyncio.create_task(page.listen())
            await page.open()
            yield page
            listening.cancel()
    finally:
        program.kill()
