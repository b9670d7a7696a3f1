"""A person with a browser, who signs in where a client sends them, and consents."""

from dataclasses import dataclass

from tests.support.browser.chromium import Tab
from tests.support.waiting import wait_until

LOGIN = "document.querySelector('input[name=login]')"
PASSWORD = "document.querySelector('input[name=password]')"
CONSENT = "document.querySelector('input[name=prompt][value=consent]')"
SUBMIT = "document.querySelector('button[type=submit]').click()"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who uses a client.

    Attributes:
        tab: The person's browser.
        login: The person's name at the authorization server.
    """

    tab: Tab
    login: str

    async def authorize(self, url: str) -> None:
        """Sign in and consent on the pages of the authorization server."""
        await self.tab.send("Page.navigate", url=url)
        await self._wait_for(LOGIN)
        await self.tab.run(f"{LOGIN}.focus()")
        await self.tab.type(self.login)
        await self.tab.run(f"{PASSWORD}.focus()")
        await self.tab.type("any")
        await self.tab.run(SUBMIT)
        await self._wait_for(CONSENT)
        await self.tab.run(SUBMIT)

    async def _wait_for(self, element: str) -> None:
        async def is_there() -> bool:
            try:
                return bool(await self.tab.run(f"{element} !== null"))
            except RuntimeError:  # between two pages
                return False

        await wait_until(is_there)
