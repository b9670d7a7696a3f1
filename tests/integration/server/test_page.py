"""The page at `/`: what is served without a login, and under which policy."""

import httpx
import pytest

from tests.support.hub import HubFiles, hub_in_loop

PATHS = {"/": "text/html", "/page.css": "text/css", "/page.js": "text/javascript"}
EMPTY = {"backends": []}


def get_policy(answer: httpx.Response) -> set[str]:
    return set(answer.headers["content-security-policy"].split("; "))


async def test_the_page_needs_no_login_and_holds_no_data(tmp_path) -> None:
    async with (
        hub_in_loop(HubFiles(tmp_path, EMPTY), hub="team<b>") as hub,
        httpx.AsyncClient(base_url=hub.url) as http,
    ):
        answers = {path: await http.get(path) for path in PATHS}
        head = await http.head("/")
        post = await http.post("/")

    assert {p: a.headers["content-type"].split(";")[0] for p, a in answers.items()} == (
        PATHS
    )
    for answer in (*answers.values(), head):
        assert answer.status_code == 200
        assert get_policy(answer) >= {
            "default-src 'none'",
            "script-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        }
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
    assert "<h1>team&lt;b&gt;</h1>" in answers["/"].text
    assert head.content == b""
    assert post.status_code == 404


@pytest.mark.parametrize("path", PATHS)
async def test_without_the_page_its_paths_do_not_exist(tmp_path, path: str) -> None:
    files = HubFiles(tmp_path, {**EMPTY, "webPage": {"enabled": False}})
    async with hub_in_loop(files) as hub, httpx.AsyncClient() as http:
        answer = await http.get(f"{hub.url}{path}")

    assert answer.status_code == 404


async def test_a_page_of_another_host_is_not_answered(tmp_path) -> None:
    async with (
        hub_in_loop(HubFiles(tmp_path, EMPTY)) as hub,
        httpx.AsyncClient() as http,
    ):
        answer = await http.get(f"{hub.url}/", headers={"Host": "evil.example"})

    assert answer.status_code == 421
