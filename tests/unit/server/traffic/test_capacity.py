import pytest

from mcphub_server.traffic.capacity import (
    FEWEST,
    MEBIBYTE,
    USUAL_LIMIT_BYTES,
    build_capacity,
    count_streams,
    find_memory_limit,
)


def test_new_sessions_are_redirected_while_there_is_still_room():
    capacity = build_capacity(2000)

    assert capacity.comfortable == 1600
    assert capacity.most == 2000


def test_the_default_limit_has_room_for_two_thousand_streams():
    assert 1900 <= count_streams(USUAL_LIMIT_BYTES) <= 2000


def test_more_memory_has_room_for_more():
    assert count_streams(1024 * MEBIBYTE) > 2 * count_streams(USUAL_LIMIT_BYTES)


def test_a_small_limit_still_has_room_for_some():
    assert count_streams(200 * MEBIBYTE) == FEWEST


@pytest.mark.parametrize(
    ("contents", "limit"),
    [
        pytest.param({"v2": "268435456\n"}, 268435456, id="version 2"),
        pytest.param({"v1": "268435456\n"}, 268435456, id="version 1"),
        pytest.param({"v2": "max\n"}, USUAL_LIMIT_BYTES, id="none in version 2"),
        pytest.param(
            {"v1": "9223372036854771712\n"}, USUAL_LIMIT_BYTES, id="none in version 1"
        ),
        pytest.param({}, USUAL_LIMIT_BYTES, id="no control groups"),
    ],
)
def test_the_limit_is_read_from_the_container(tmp_path, contents, limit):
    for name, text in contents.items():
        (tmp_path / name).write_text(text)

    assert find_memory_limit([tmp_path / "v2", tmp_path / "v1"]) == limit
