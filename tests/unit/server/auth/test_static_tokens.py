"""Tokens are files that change while the server runs."""

import asyncio
import os
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from mcphub_server.auth.refusals import CredentialRefused
from mcphub_server.auth.report import ALL_WELL, AuthProblem
from mcphub_server.auth.static_tokens import FOLLOW_SECONDS, PREVIOUS_TOKEN, TokenFiles
from tests.support.virtual_time import in_virtual_time

ONE, TWO, THREE = "first-of-q7Jx0vTn", "second-of-Rk29sL", "third-of-wZ8eF1gH"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def find(tokens: TokenFiles, token: str) -> str | None:
    try:
        return (await tokens.verify(token)).client_id
    except CredentialRefused:
        return None


async def test_the_file_name_is_the_client(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "alice").write_text(ONE + "\n")
    (tmp_path / "bob").write_text(TWO)
    tokens = TokenFiles(tmp_path, clock=clock)

    assert await find(tokens, ONE) == "alice"
    assert await find(tokens, TWO) == "bob"
    assert await find(tokens, THREE) is None
    assert await find(tokens, "") is None


async def test_the_token_itself_is_not_carried_on(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "alice").write_text(ONE)

    access = await TokenFiles(tmp_path, clock=clock).verify(ONE)

    assert ONE not in repr(access)


async def test_a_new_token_works_at_once(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "alice").write_text(ONE)
    tokens = TokenFiles(tmp_path, clock=clock)
    await find(tokens, ONE)

    (tmp_path / "bob").write_text(TWO)

    assert await find(tokens, TWO) == "bob"


async def test_a_revoked_token_ends_within_a_second(
    tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "alice").write_text(ONE)
    tokens = TokenFiles(tmp_path, clock=clock)
    await find(tokens, ONE)

    (tmp_path / "alice").unlink()
    clock.now = 1.0

    assert await find(tokens, ONE) is None


async def test_a_projected_secret_is_swapped_as_kubelets_do(
    tmp_path: Path, clock: Clock
) -> None:
    for version, token in (("..v1", ONE), ("..v2", TWO)):
        (tmp_path / version).mkdir()
        (tmp_path / version / "alice").write_text(token)
    (tmp_path / "..data").symlink_to("..v1")
    (tmp_path / "alice").symlink_to("..data/alice")
    tokens = TokenFiles(tmp_path, clock=clock)
    before = await find(tokens, ONE)

    (tmp_path / "..new").symlink_to("..v2")
    (tmp_path / "..new").rename(tmp_path / "..data")
    clock.now = 1.0

    assert before == "alice"
    assert await find(tokens, ONE) is None
    assert await find(tokens, TWO) == "alice"
    assert tokens.clients == ("alice",)


async def test_empty_files_and_no_folder_admit_no_client(
    tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "alice").write_text("\n")

    assert await find(TokenFiles(tmp_path, clock=clock), "") is None
    assert await find(TokenFiles(tmp_path / "none", clock=clock), "x") is None


async def test_a_token_file_that_looks_the_same_is_read_again(
    tmp_path: Path, clock: Clock
) -> None:
    path = tmp_path / "alice"
    path.write_text(ONE)
    os.utime(path, (1, 1))
    tokens = TokenFiles(tmp_path, clock=clock)
    await find(tokens, ONE)

    path.write_text(TWO.ljust(len(ONE), "x"))
    os.utime(path, (1, 1))
    clock.now += 1

    assert await find(tokens, ONE) is None
    assert await find(tokens, TWO.ljust(len(ONE), "x")) == "alice"


async def test_a_byte_order_mark_is_no_part_of_a_token(
    tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "alice").write_text(ONE, encoding="utf-8-sig")

    assert await find(TokenFiles(tmp_path, clock=clock), ONE) == "alice"


async def test_refused_tokens_are_reported_by_client(
    tmp_path: Path, clock: Clock
) -> None:
    for client, token in (("alice", ""), ("bob", "change-me"), ("eve", ONE)):
        (tmp_path / client).write_text(token)
    tokens = TokenFiles(tmp_path, clock=clock)

    assert await find(tokens, "change-me") is None
    assert await find(tokens, ONE) == "eve"
    report = tokens.report()
    assert report.problem is AuthProblem.TOKENS_REFUSED
    assert report.message == (
        "the token of alice is empty; the token of bob is a placeholder"
    )


async def test_refused_tokens_are_logged_once(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "bob").write_text("change-me")
    tokens = TokenFiles(tmp_path, clock=clock)

    with capture_logs() as lines:
        tokens.refresh()
        tokens.refresh()

    assert [line["problem"] for line in lines] == ["the token of bob is a placeholder"]


@in_virtual_time
async def test_a_token_that_becomes_bad_is_told_without_any_request(
    tmp_path: Path,
) -> None:
    (tmp_path / "alice").write_text(ONE)
    tokens, told = TokenFiles(tmp_path), asyncio.Event()
    following = asyncio.create_task(tokens.follow(told.set))
    await asyncio.sleep(FOLLOW_SECONDS / 2)
    told.clear()
    before = tokens.report()

    (tmp_path / "alice").write_text("")
    await told.wait()
    following.cancel()

    assert before == ALL_WELL
    assert tokens.report().problem is AuthProblem.TOKENS_REFUSED


class TestARotatedToken:
    @pytest.fixture
    def keys(self, tmp_path: Path) -> Path:
        folder = tmp_path / "keys"
        folder.mkdir()
        (folder / PREVIOUS_TOKEN).write_text(f"100 default {ONE}")
        return folder

    @pytest.fixture
    def tokens(self, tmp_path: Path) -> Path:
        folder = tmp_path / "tokens"
        folder.mkdir()
        (folder / "default").write_text(TWO)
        return folder

    @pytest.mark.parametrize(
        ("now", "client"),
        [pytest.param(99.0, "default", id="in"), pytest.param(100.0, None, id="after")],
    )
    async def test_is_valid_in_its_grace_period(
        self, tokens: Path, keys: Path, now: float, client: str | None
    ) -> None:
        files = TokenFiles(tokens, keys, now=lambda: now)

        assert await find(files, ONE) == client
        assert await find(files, TWO) == "default"

    async def test_ends_with_its_client(self, tokens: Path, keys: Path) -> None:
        (tokens / "default").unlink()
        (tokens / "other").write_text(THREE)

        assert await find(TokenFiles(tokens, keys, now=lambda: 0.0), ONE) is None

    @pytest.mark.parametrize("content", ["", "\n", "x default y", "1", "nan d t"])
    async def test_that_cannot_be_read_is_none(
        self, tokens: Path, keys: Path, content: str
    ) -> None:
        (keys / PREVIOUS_TOKEN).write_text(content)

        assert await find(TokenFiles(tokens, keys, now=lambda: 0.0), ONE) is None
