"""qdrant-client's REST part, imported without the rest of the package."""

import subprocess
import sys

import pytest

IMPORT = "import sys, mcphub_server.backends.qdrant.rest as rest\n"


def run(code: str) -> str:
    """Run code in a Python that has imported nothing yet."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORT + code],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("package", ["numpy", "grpc", "qdrant_client.local"])
def test_what_a_hub_never_uses_is_not_imported(package: str) -> None:
    assert run(f"print({package!r} in sys.modules)") == "False"


def test_a_point_takes_a_list_of_numbers() -> None:
    point = "rest.models.PointStruct(id=1, vector=[0.5, 1.0]).vector"

    assert run(f"print({point})") == "[0.5, 1.0]"


def test_the_whole_package_can_be_imported_afterwards() -> None:
    code = "import qdrant_client._numpy_vectors as v; print(v.np.__name__)"

    assert run(code) == "numpy"
