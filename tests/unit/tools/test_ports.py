"""Ports that are given to programs are given once."""

import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tools.ports import FIRST_PORT, LAST_PORT, reserve_port, reserve_ports


def test_callers_at_once_get_different_ports(tmp_path: Path) -> None:
    reserve = partial(reserve_ports, counter=tmp_path / "counter")
    with ThreadPoolExecutor(8) as pool:  # the lock is of the open file, not the process
        given = [port for ports in pool.map(reserve, [4] * 15) for port in ports]

    assert len(set(given)) == len(given) == 60


def test_a_port_in_use_is_left_out(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    (port,) = reserve_ports(1, counter)
    counter.write_text(str(port - 1))
    with socket.create_server(("127.0.0.1", port)):
        assert reserve_ports(1, counter) != [port]


def test_after_the_last_port_comes_the_first(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text(str(LAST_PORT))

    assert reserve_ports(1, counter)[0] >= FIRST_PORT


def test_a_program_can_open_its_port_at_once() -> None:
    port = reserve_port()

    with socket.create_server(("127.0.0.1", port)) as opened:
        assert opened.getsockname()[1] == port
