"""The sockets that clients connect to."""

import socket

from mcphub_server.lifespan import open_socket


def test_an_answer_is_not_held_back_until_its_head_is_acknowledged() -> None:
    with open_socket("127.0.0.1", 0) as listening:
        address = listening.getsockname()

        with socket.create_connection(address), listening.accept()[0] as accepted:
            no_delay = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)

    assert no_delay
