"""The page at `/` in a real browser, on a real hub: what a person sees and does."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.support.browser.axe import find_violations
from tests.support.browser.chromium import Tab, open_tab
from tests.support.hub import TOKEN, HubFiles, HubProcess, hub_process

HOSTILE = "<img src=x onerror=document.title=1>"
MESSAGE = "document.getElementById('message').textContent"


async def log_in(tab: Tab, token: str = TOKEN) -> None:
    await tab.run("document.getElementById('token').focus()")
    await tab.type(token)
    await tab.press("Enter")


async def call(tab: Tab, tool: str, **arguments: str) -> None:
    await tab.run(
        "(() => { const tool = document.getElementById('tool');"
        f" tool.value = {json.dumps(tool)};"
        " tool.dispatchEvent(new Event('change')); })()"
    )
    for name, value in arguments.items():
        field = f"document.getElementById('argument-{name}')"
        await tab.run(f"{field}.value = {json.dumps(value)}; 0")
    await tab.run("document.querySelector('#call button').click()")


def find_requests(tab: Tab) -> set[str]:
    return {
        event["params"]["request"]["url"]
        for event in tab.events
        if event.get("method") == "Network.requestWillBeSent"
    }


def find_complaints(tab: Tab) -> list[Any]:
    return [
        event
        for event in tab.events
        if event.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown")
    ]


async def test_at_first_it_says_how_to_connect_and_asks_the_hub_nothing(
    tab: Tab, server: HubProcess
) -> None:
    text = await tab.run("document.body.innerText")

    assert "team-data" in text
    assert f"{server.url}/mcp" in text
    assert f'"url": "{server.url}/mcp"' in text
    assert "Bearer TOKEN" in text
    assert {url for url in find_requests(tab) if not url.startswith("data:")} == {
        f"{server.url}{path}" for path in ("/", "/page.css", "/page.js")
    }
    assert find_complaints(tab) == []


async def test_with_a_token_it_shows_tools_and_health_and_keeps_it_in_memory(
    tab: Tab,
) -> None:
    await log_in(tab)
    await tab.wait_for(f"{MESSAGE} === '6 tools.'")

    text = await tab.run("document.body.innerText")
    assert "All backends answer." in text
    assert "postgres: Connected" in text
    assert f"Bearer {TOKEN}" in text
    stored = await tab.run(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie,"
        " location.href, history.state])"
    )
    assert TOKEN not in stored
    await tab.run("document.getElementById('forget').click()")
    assert TOKEN not in await tab.run("document.documentElement.outerHTML")


async def test_a_row_of_html_is_shown_as_text(tab: Tab) -> None:
    await log_in(tab)
    await tab.wait_for("!document.getElementById('call').hidden")

    await call(tab, "postgres_query", sql=f"SELECT '{HOSTILE}' AS x, 1 AS y")
    await tab.wait_for(f"{MESSAGE} === 'Done.'")

    cells = "[...document.querySelectorAll('#result td')].map((e) => e.textContent)"
    assert await tab.run(cells) == [HOSTILE, "1"]
    assert await tab.run("document.querySelectorAll('img').length") == 0
    assert find_complaints(tab) == []


async def test_an_error_of_a_tool_is_shown(tab: Tab) -> None:
    await log_in(tab)
    await tab.wait_for("!document.getElementById('call').hidden")

    await call(tab, "postgres_query", sql="DROP TABLE customers")
    await tab.wait_for(f"{MESSAGE} === 'The tool reports an error.'")

    shown = await tab.run("document.getElementById('result').textContent")
    assert "read" in shown.lower()


@pytest.mark.parametrize(
    ("token", "sentence"),
    [
        ("wrong" * 5, "The hub does not accept this token."),
        ("two words", "A token has no spaces"),
        ("line\nbreak é", "A token has no spaces"),
    ],
)
async def test_a_token_that_cannot_be_used_is_told(
    tab: Tab, token: str, sentence: str
) -> None:
    await log_in(tab, token)

    await tab.wait_for(f"{MESSAGE}.startsWith({json.dumps(sentence)})")
    assert await tab.run("document.getElementById('call').hidden")


ANSWERS = [
    pytest.param(
        (403, "Pages of that Origin may not use this server"),
        "The hub does not know that it is reached by this address.",
        id="a proxy that the hub does not trust",
    ),
    pytest.param(
        (503, '{"error": {"message": "Draining. Try again."}}'),
        "The hub answers with status 503. Draining. Try again.",
        id="a replica that ends",
    ),
    pytest.param(
        (502, "<h1>Bad gateway</h1>"),
        "The hub answers with status 502. <h1>Bad gateway</h1>",
        id="a proxy without a hub",
    ),
    pytest.param(
        (200, ""), "The hub ended the answer too early. Try again.", id="no answer"
    ),
]


@pytest.mark.parametrize(("answer", "sentence"), ANSWERS)
async def test_an_answer_that_is_no_tool_list_is_told_in_a_sentence(
    tab: Tab, answer: tuple[int, str], sentence: str
) -> None:
    status, body = answer
    await tab.run(
        f"window.fetch = async () => new Response({json.dumps(body)},"
        f" {{status: {status}}}); 0"
    )

    await log_in(tab)

    await tab.wait_for(f"{MESSAGE}.startsWith({json.dumps(sentence)})")
    assert await tab.run("document.getElementById('call').hidden")


async def test_a_hub_that_is_away_is_told_in_a_sentence(tab: Tab) -> None:
    await tab.send(
        "Network.emulateNetworkConditions",
        offline=True,
        latency=0,
        downloadThroughput=-1,
        uploadThroughput=-1,
    )

    await log_in(tab)

    await tab.wait_for(f"{MESSAGE}.startsWith('The hub cannot be reached.')")


async def test_a_database_that_is_away_is_told_with_its_cause(
    browser: str, tmp_path: Path
) -> None:
    """Without authentication, an empty field is enough."""
    away = {"host": "127.0.0.1", "port": 1, "database": "shop"}
    config = {
        "auth": {"type": "None"},
        "backends": [{"name": "orders", "postgres": away}],
    }
    files = HubFiles(tmp_path, config, {"orders": {"username": "a", "password": "b"}})
    with hub_process(files) as hub:
        async with open_tab(browser) as tab:
            await tab.open(f"{hub.url}/")
            await log_in(tab, "")
            await tab.wait_for("!document.getElementById('call').hidden")
            shown = await tab.run("document.getElementById('health').innerText")

    assert "orders: Unreachable: orders is unavailable: nothing listens" in shown


async def test_text_never_becomes_html_even_by_a_mistake(tab: Tab) -> None:
    with pytest.raises(RuntimeError, match="TrustedHTML"):
        await tab.run("document.body.innerHTML = '<b>x</b>'")


async def test_the_keyboard_is_enough(tab: Tab) -> None:
    async def tab_to(identifier: str) -> None:
        for _ in range(40):
            if await tab.run("document.activeElement.id") == identifier:
                return
            await tab.press("Tab")
        raise AssertionError(f"no way to {identifier}")

    await tab_to("token")
    await tab.type(TOKEN)
    await tab.press("Enter")
    await tab.wait_for("!document.getElementById('call').hidden")
    await tab_to("tool")
    await tab.run("document.querySelector('#call button').id = 'go'; 0")
    await tab_to("go")
    await tab.press("Enter")

    await tab.wait_for(f"{MESSAGE} === 'Done.'")
    assert not await tab.run("document.getElementById('result').hidden")


async def show_result(tab: Tab) -> None:
    """Bring the page to where all of its parts are shown."""
    await log_in(tab)
    await tab.wait_for("!document.getElementById('call').hidden")
    await call(tab, "postgres_query", sql="SELECT 1 AS x, 'text' AS y")
    await tab.wait_for(f"{MESSAGE} === 'Done.'")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_keeps_people_with_a_screen_reader_out(
    tab: Tab, axe: str, scheme: str
) -> None:
    await tab.emulate(scheme)
    at_first = await find_violations(tab, axe)
    await log_in(tab, "wrong" * 5)
    await tab.wait_for(f"{MESSAGE}.startsWith('The hub does not accept')")
    refused = await find_violations(tab, axe)

    await show_result(tab)
    in_use = await find_violations(tab, axe)

    assert (at_first, refused, in_use) == ([], [], [])


async def test_the_page_follows_the_colour_scheme(tab: Tab) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"

    await tab.emulate("dark")
    dark = await tab.run(ground)
    await tab.emulate("light")

    assert (dark, await tab.run(ground)) == ("rgb(13, 17, 23)", "rgb(255, 255, 255)")


async def test_a_narrow_screen_needs_no_sideways_scrolling(tab: Tab) -> None:
    await tab.emulate("light", width=320)
    await show_result(tab)

    assert await tab.run("document.documentElement.scrollWidth") <= 320


async def open_clipboard(tab: Tab, server: HubProcess) -> None:
    await tab.send(
        "Browser.grantPermissions",
        permissions=["clipboardReadWrite", "clipboardSanitizedWrite"],
        origin=server.url,
        browserContextId=tab.context,
    )
    await tab.send("Page.bringToFront")


@pytest.mark.parametrize(
    ("copied", "sentence"),
    [
        pytest.param(f"  {TOKEN}\n", "", id="a line end around it"),
        pytest.param(f"{TOKEN}\n{TOKEN}", "What you pasted has", id="two lines"),
        pytest.param(f"first\r\n{TOKEN}", "What you pasted has", id="windows"),
    ],
)
async def test_a_token_with_a_line_break_is_not_pasted(
    tab: Tab, server: HubProcess, copied: str, sentence: str
) -> None:
    await open_clipboard(tab, server)
    await tab.run(f"navigator.clipboard.writeText({json.dumps(copied)})")
    await tab.run("document.getElementById('token').focus()")

    await tab.paste()

    holds = f"document.getElementById('token').value.trim() === {json.dumps(TOKEN)}"
    told = f"{MESSAGE}.startsWith({json.dumps(sentence)})"
    await tab.wait_for(told if sentence else holds)
    assert await tab.run(told)
    assert await tab.run(holds) is not bool(sentence)


async def test_a_shell_changes_no_token_in_a_command(tab: Tab) -> None:
    token = "it's$HOME`id`\"\\!"

    command = await tab.run(
        f"buildClientTexts({json.dumps(token)})['Claude Code - run']"
    )

    assert f"Authorization: Bearer {token}" in shlex.split(command)


async def test_connect_texts_are_copied(tab: Tab, server: HubProcess) -> None:
    await open_clipboard(tab, server)
    await log_in(tab)
    await tab.wait_for("!document.getElementById('call').hidden")

    await tab.run("document.querySelector('#clients button').click()")
    await tab.wait_for(f"{MESSAGE}.startsWith('Copied: Claude Code')")

    copied = await tab.run("navigator.clipboard.readText()")
    assert copied.startswith("claude mcp add --transport http")
    # The header comes last: Claude Code takes every word behind it as headers.
    assert copied.endswith(f'/mcp --header "Authorization: Bearer {TOKEN}"')
