"""Headless Chromium and its tabs, through the DevTools protocol over one WebSocket.

https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import itertools
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.support.system_packages import ensure_packages
from tests.support.waiting import wait_until

KEYS = {"Tab": 9, "Enter": 13}


@contextmanager
def running_chromium(folder: Path) -> Iterator[str]:
    """Run a browser with a profile of its own; yield the address of its protocol."""
    ensure_packages(chromium="chromium")
    command = [
        *("chromium", "--headless=new", "--no-sandbox", "--disable-gpu"),
        *("--no-first-run", "--disable-dev-shm-usage", "--no-proxy-server"),
        *("--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"),
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            yield next(
                line.split()[-1]
                for line in process.stderr
                if line.startswith("DevTools listening on ")
            )
        finally:
            process.terminate()
            process.communicate()


@dataclass
class Tab:
    """One tab in a context of its own."""

    connection: ClientConnection
    session: str
    context: str = ""
    events: list[dict[str, Any]] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(100))

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command of the protocol and return its result."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        return await _ask(
            self.connection, {**message, "sessionId": self.session}, self.events
        )

    async def run(self, script: str) -> Any:
        """Return the value of an expression in the page."""
        answer = await self.send(
            "Runtime.evaluate",
            expression=script,
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    async def open(self, url: str) -> None:
        """Open a page and wait until its script has run."""
        await self.send("Page.navigate", url=url)
        await self.wait_for("document.readyState === 'complete'")

    async def wait_for(self, script: str) -> None:
        """Wait until an expression holds."""

        async def holds() -> bool:
            return bool(await self.run(script))

        try:
            await wait_until(holds, 60)
        except AssertionError:
            shown = await self.run("document.body.innerText")
            raise AssertionError(f"{script} never held; the page:\n{shown}") from None

    async def draw(self) -> bytes:
        """Return a picture of the whole page as PNG."""
        # without a clip, the picture may have the height that the page had before
        size = (await self.send("Page.getLayoutMetrics"))["cssContentSize"]
        answer = await self.send(
            "Page.captureScreenshot",
            format="png",
            captureBeyondViewport=True,
            clip={**size, "scale": 1},
        )
        return base64.b64decode(answer["data"])

    async def emulate(self, scheme: str, width: int = 800, height: int = 600) -> None:
        """Show the page in a colour scheme, on a screen of a size in pixels."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        await self.send("Emulation.setEmulatedMedia", features=[feature])
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )

    async def press(self, key: str) -> None:
        """Press a key and let it go."""
        code = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        text = {"text": "\r"} if key == "Enter" else {}
        await self.send("Input.dispatchKeyEvent", type="keyDown", **code, **text)
        await self.send("Input.dispatchKeyEvent", type="keyUp", **code)

    async def type(self, text: str) -> None:
        """Type text where the focus is."""
        await self.send("Input.insertText", text=text)

    async def paste(self) -> None:
        """Paste what the clipboard holds where the focus is."""
        key = {"key": "v", "code": "KeyV", "modifiers": 2, "commands": ["paste"]}
        await self.send("Input.dispatchKeyEvent", type="keyDown", **key)
        await self.send("Input.dispatchKeyEvent", type="keyUp", key="v", code="KeyV")


async def _ask(
    connection: ClientConnection,
    message: dict[str, Any],
    events: list[dict[str, Any]],
) -> dict[str, Any]:
    await connection.send(json.dumps(message))
    while True:
        answer = json.loads(await connection.recv())
        if answer.get("id") != message["id"]:
            events.append(answer)
            continue
        if "error" in answer:
            raise RuntimeError(answer["error"]["message"])
        result: dict[str, Any] = answer["result"]
        return result


@asynccontextmanager
async def open_tab(address: str) -> AsyncIterator[Tab]:
    """Open a tab that shares no storage with others."""
    async with connect(address, max_size=None, proxy=None) as connection:
        tab = Tab(connection, "")

        async def ask(number: int, method: str, **params: Any) -> dict[str, Any]:
            message = {"id": number, "method": method, "params": params}
            return await _ask(connection, message, tab.events)

        context = (await ask(1, "Target.createBrowserContext"))["browserContextId"]
        tab.context = context
        made = await ask(
            2, "Target.createTarget", url="about:blank", browserContextId=context
        )
        attached = await ask(
            3, "Target.attachToTarget", targetId=made["targetId"], flatten=True
        )
        tab.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            await tab.send(f"{domain}.enable")
        yield tab
        await ask(4, "Target.disposeBrowserContext", browserContextId=context)
