import os
import time

import pytest

from mcphub_server.sessions.keyring import (
    SETTLING_SECONDS,
    KeyMaterial,
    LiveKeyring,
    build_keyring,
    find_key_material,
)


@pytest.mark.parametrize(
    ("material", "signing"),
    [
        pytest.param(KeyMaterial(b"new"), b"new", id="the only key there is"),
        pytest.param(
            KeyMaterial(b"new", b"old", current_age_seconds=1),
            b"old",
            id="the older one while the newer may not be everywhere",
        ),
        pytest.param(
            KeyMaterial(b"new", b"old", current_age_seconds=SETTLING_SECONDS),
            b"new",
            id="the newer one once it is everywhere",
        ),
    ],
)
def test_ids_are_signed_with(material, signing):
    assert build_keyring(material).signing == signing


def test_both_keys_are_believed_at_once():
    keyring = build_keyring(KeyMaterial(b"new", b"old", current_age_seconds=1))

    assert set(keyring.accepted) == {b"new", b"old"}


def test_a_missing_key_is_not_believed():
    assert build_keyring(KeyMaterial(b"new")).accepted == (b"new",)


def test_keys_do_not_show_in_a_representation():
    keyring = build_keyring(KeyMaterial(b"secret-one", b"secret-two", b"secret-three"))

    assert "secret" not in repr(keyring)


def test_the_age_of_a_key_is_that_of_its_file(tmp_path):
    written_at = time.time() - 1000
    (tmp_path / "current").write_bytes(b"new\n")
    os.utime(tmp_path / "current", (written_at, written_at))

    material = find_key_material(tmp_path)

    assert material is not None
    assert material.current == b"new"
    assert material.current_age_seconds >= 1000


def test_without_files_each_process_has_keys_of_its_own(tmp_path):
    first, second = (LiveKeyring(tmp_path / "none").keyring for _ in range(2))

    assert first.signing != second.signing


async def test_a_rotation_is_seen_by_a_running_process(tmp_path):
    now = [0.0]
    (tmp_path / "current").write_bytes(b"old")
    live = LiveKeyring(tmp_path, clock=lambda: now[0])
    (tmp_path / "previous").write_bytes(b"old")
    (tmp_path / "current").write_bytes(b"new")

    now[0] = 2.0
    await live.refresh()

    assert live.keyring.accepted == (b"new", b"old")


async def test_files_that_vanish_leave_the_keys_in_force(tmp_path):
    now = [0.0]
    (tmp_path / "current").write_bytes(b"old")
    live = LiveKeyring(tmp_path, clock=lambda: now[0])
    (tmp_path / "current").unlink()

    now[0] = 2.0
    await live.refresh()

    assert live.keyring.accepted == (b"old",)
