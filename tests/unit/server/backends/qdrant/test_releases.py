"""Which releases of Qdrant are taken."""

import pytest

from mcphub_server.backends.qdrant.releases import check_release
from mcphub_server.errors import BackendReason, BackendUnavailable


@pytest.mark.parametrize("version", ["0.11.7", "1.9.2", "1.0.0-dev"])
def test_a_server_that_is_too_old_is_named_as_such(version: str) -> None:
    with pytest.raises(BackendUnavailable, match="and newer work") as told:
        check_release("vectors", version)

    assert told.value.reason is BackendReason.UNSUPPORTED_VERSION


@pytest.mark.parametrize("version", ["1.10.0", "1.20.0", "2.0.0", "dev", ""])
def test_newer_and_unknown_releases_pass(version: str) -> None:
    check_release("vectors", version)
