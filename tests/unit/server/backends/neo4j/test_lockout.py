"""A refused login is not tried again until its secret has changed."""

import pytest
from pydantic import SecretStr

from mcphub_server.backends.neo4j.failures import build_unavailable
from mcphub_server.backends.neo4j.lockout import LoginGate
from mcphub_server.config.secrets import BackendSecrets
from mcphub_server.errors import BackendReason, BackendUnavailable


class Files:
    """The secret files, without files."""

    def __init__(self) -> None:
        self.password = "first"

    def read(self) -> BackendSecrets:
        return BackendSecrets(SecretStr("neo4j"), SecretStr(self.password))


async def refuse(gate: LoginGate, reason: BackendReason) -> None:
    await gate.credentials.get_auth()
    gate.note(build_unavailable("graph", reason))


async def test_the_same_credentials_are_not_tried_again() -> None:
    gate = LoginGate("graph", Files().read)
    await refuse(gate, BackendReason.BAD_CREDENTIALS)

    with pytest.raises(BackendUnavailable):
        await gate.check()


async def test_changed_credentials_are_tried_at_once() -> None:
    files = Files()
    gate = LoginGate("graph", files.read)
    await refuse(gate, BackendReason.BAD_CREDENTIALS)

    files.password = "second"

    await gate.check()


async def test_other_failures_leave_the_gate_open() -> None:
    gate = LoginGate("graph", Files().read)

    await refuse(gate, BackendReason.CONNECTION_REFUSED)

    await gate.check()
