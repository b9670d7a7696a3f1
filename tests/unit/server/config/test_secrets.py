"""Secrets are files, read as they are now, and never shown."""

from pathlib import Path

import pytest

from mcphub_server.config.secrets import find_odd_secret, read_backend_secrets
from mcphub_server.errors import ConfigError


def test_each_file_is_one_secret_without_its_line_end(tmp_path: Path) -> None:
    folder = tmp_path / "orders"
    folder.mkdir()
    (folder / "username").write_text("reader\n")
    (folder / "password").write_text(" p w \r\n")
    (folder / "ca.crt").write_text("…")

    secrets = read_backend_secrets(tmp_path, "orders")

    assert secrets.username is not None
    assert secrets.username.get_secret_value() == "reader"
    assert secrets.password is not None
    assert secrets.password.get_secret_value() == " p w "
    assert secrets.ca_path == folder / "ca.crt"
    assert secrets.api_key is None


def test_a_secret_does_not_show_in_its_repr(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "password").write_text("hunter2")

    assert "hunter2" not in repr(read_backend_secrets(tmp_path, "orders"))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"p\xe4ss", id="another encoding"),
        pytest.param(b"\xff\xfep\x00", id="UTF-16"),
        pytest.param(b"p\x00w", id="a zero byte"),
    ],
)
def test_bytes_that_are_no_text_are_named_by_file(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "password").write_bytes(content)

    with pytest.raises(ConfigError, match="orders/password is no text"):
        read_backend_secrets(tmp_path, "orders")


def test_a_byte_order_mark_is_no_part_of_a_secret(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "password").write_text("p", encoding="utf-8-sig")

    password = read_backend_secrets(tmp_path, "orders").password

    assert password is not None
    assert password.get_secret_value() == "p"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "orders/password is empty", id="nothing"),
        pytest.param(b"\n", "orders/password is empty", id="a line end alone"),
        pytest.param(b" hunter2", "begins or ends with white space", id="a space"),
        pytest.param(b"hunter2\t\n", "begins or ends with white space", id="a tab"),
        pytest.param(b"hunter2\n", "", id="what editors add"),
        pytest.param(b"\xff", "", id="what is named elsewhere"),
    ],
)
def test_what_is_odd_about_a_secret_is_said_without_it(
    tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders" / "password").write_bytes(content)

    said = find_odd_secret(tmp_path, "orders")

    assert words in said
    assert bool(said) is bool(words)
    assert "hunter2" not in said
