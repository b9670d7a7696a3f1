"""Tokens are files that change while the server runs."""

from pathlib import Path

import pytest

from mcphub_server.auth.static_tokens import TokenFiles


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def find(tokens: TokenFiles, token: str) -> str | None:
    access = await tokens.verify_token(token)
    return access.client_id if access else None


async def test_the_file_name_is_the_client(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "alice").write_text("t1\n")
    (tmp_path / "bob").write_text("t2")
    tokens = TokenFiles(tmp_path, clock)

    assert await find(tokens, "t1") == "alice"
    assert await find(tokens, "t2") == "bob"
    assert await find(tokens, "t3") is None
    assert await find(tokens, "") is None


async def test_the_token_itself_is_not_carried_on(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "alice").write_text("t1")

    access = await TokenFiles(tmp_path, clock).verify_token("t1")

    assert "t1" not in repr(access)


async def test_a_new_token_works_at_once(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "alice").write_text("t1")
    tokens = TokenFiles(tmp_path, clock)
    await find(tokens, "t1")

    (tmp_path / "bob").write_text("t2")

    assert await find(tokens, "t2") == "bob"


async def test_a_revoked_token_ends_within_a_second(
    tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "alice").write_text("t1")
    tokens = TokenFiles(tmp_path, clock)
    await find(tokens, "t1")

    (tmp_path / "alice").unlink()
    clock.now = 1.0

    assert await find(tokens, "t1") is None


async def test_a_projected_secret_is_swapped_as_kubelets_do(
    tmp_path: Path, clock: Clock
) -> None:
    for version, token in (("..v1", "t1"), ("..v2", "t2")):
        (tmp_path / version).mkdir()
        (tmp_path / version / "alice").write_text(token)
    (tmp_path / "..data").symlink_to("..v1")
    (tmp_path / "alice").symlink_to("..data/alice")
    tokens = TokenFiles(tmp_path, clock)
    before = await find(tokens, "t1")

    (tmp_path / "..new").symlink_to("..v2")
    (tmp_path / "..new").rename(tmp_path / "..data")
    clock.now = 1.0

    assert before == "alice"
    assert await find(tokens, "t1") is None
    assert await find(tokens, "t2") == "alice"
    assert tokens.clients == ("alice",)


async def test_empty_files_and_no_folder_admit_no_client(
    tmp_path: Path, clock: Clock
) -> None:
    (tmp_path / "alice").write_text("\n")

    assert await find(TokenFiles(tmp_path, clock), "") is None
    assert await find(TokenFiles(tmp_path / "none", clock), "x") is None
