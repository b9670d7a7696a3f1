"""What a login to PostgreSQL is made from."""

import pytest
from pydantic import SecretStr

from mcphub_server.backends.postgres.connecting import build_connect_arguments
from mcphub_server.config.backends import PostgresConfig
from mcphub_server.config.secrets import BackendSecrets
from mcphub_server.errors import BackendReason, BackendUnavailable

CONFIG = PostgresConfig(host="db", database="app")


@pytest.mark.parametrize("username", [None, SecretStr("")])
def test_there_is_no_login_without_a_user_name(username: SecretStr | None) -> None:
    """The driver would take the name of the operating system's user."""
    secrets = BackendSecrets(username=username, password=SecretStr("p"))

    with pytest.raises(BackendUnavailable) as refused:
        build_connect_arguments("orders", CONFIG, secrets)

    assert refused.value.reason is BackendReason.BAD_CREDENTIALS
    assert "orders has no username" in str(refused.value)
