"""The sockets that clients connect to."""

import socket

import pytest

from mcphub_server.lifespan import find_all_addresses, open_socket


def test_an_answer_is_not_held_back_until_its_head_is_acknowledged() -> None:
    with open_socket("127.0.0.1", 0) as listening:
        address = listening.getsockname()

        with socket.create_connection(address), listening.accept()[0] as accepted:
            no_delay = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    assert no_delay


@pytest.mark.parametrize("loopback", ["127.0.0.1", "::1"])
def test_without_a_host_it_listens_on_ipv4_and_ipv6(loopback: str) -> None:
    with open_socket("", 0) as listening:
        port = listening.getsockname()[1]

        with socket.create_connection((loopback, port)), listening.accept()[0]:
            pass


def test_where_the_kernel_has_no_ipv6_it_listens_on_ipv4() -> None:
    assert find_all_addresses(has_dual_stack=False) == "0.0.0.0"  # noqa: S104
