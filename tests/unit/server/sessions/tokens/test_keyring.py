import os
import time

import pytest

from mcphub_server.sessions.tokens.keyring import (
    KeyMaterial,
    LiveKeyring,
    build_keyring,
    find_key_material,
)

SETTLING_SECONDS = 180


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
    assert build_keyring(material, SETTLING_SECONDS).signing == signing


def test_both_keys_are_believed_at_once():
    material = KeyMaterial(b"new", b"old", current_age_seconds=1)

    keyring = build_keyring(material, SETTLING_SECONDS)

    assert set(keyring.accepted) == {b"new", b"old"}


def test_a_missing_key_is_not_believed():
    keyring = build_keyring(KeyMaterial(b"new"), SETTLING_SECONDS)

    assert keyring.accepted == (b"new",)


def test_keys_do_not_show_in_a_representation():
    keyring = build_keyring(KeyMaterial(b"secret-one", b"secret-two"), 180)

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
    first, second = (
        LiveKeyring(tmp_path / "none", SETTLING_SECONDS).keyring for _ in range(2)
    )

    assert first.signing != second.signing


async def test_a_rotation_is_seen_by_a_running_process(tmp_path):
    now = [0.0]
    (tmp_path / "current").write_bytes(b"old")
    live = LiveKeyring(tmp_path, SETTLING_SECONDS, clock=lambda: now[0])
    (tmp_path / "previous").write_bytes(b"old")
    (tmp_path / "current").write_bytes(b"new")

    now[0] = 2.0
    await live.refresh()

    assert live.keyring.accepted == (b"new", b"old")


async def test_files_that_vanish_leave_the_keys_in_force(tmp_path):
    now = [0.0]
    (tmp_path / "current").write_bytes(b"old")
    live = LiveKeyring(tmp_path, SETTLING_SECONDS, clock=lambda: now[0])
    (tmp_path / "current").unlink()

    now[0] = 2.0
    await live.refresh()

    assert live.keyring.accepted == (b"old",)


async def test_a_key_that_others_sign_with_is_signed_with_at_once(tmp_path):
    now = [0.0]
    (tmp_path / "previous").write_bytes(b"old")
    (tmp_path / "current").write_bytes(b"new")
    live = LiveKeyring(tmp_path, SETTLING_SECONDS, clock=lambda: now[0])
    before = live.keyring.signing

    live.settle()
    now[0] = 2.0
    await live.refresh()

    assert before == b"old"
    assert live.keyring.signing == b"new"
