"""Each agent framework lists the tools of a real hub and calls one.

Run by `make integrations`: the environments are large, and change with each release.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hub import TOKEN, HubFiles, HubProcess, hub_process
from tools.integrations.frameworks import (
    FRAMEWORKS,
    Framework,
    find_versions,
    run_example,
)

CASES = [(framework, path) for framework in FRAMEWORKS for path in framework.paths]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    files = HubFiles(Path(tmp_path_factory.mktemp("hub")), {})
    with hub_process(files) as hub:
        yield hub


@pytest.mark.timeout(2100)
@pytest.mark.parametrize(
    ("framework", "path"),
    [
        pytest.param(framework, path, id=f"{framework.package} over /{path}")
        for framework, path in CASES
    ],
)
def test_an_agent_framework_uses_the_hub(
    hub: HubProcess, framework: Framework, path: str
) -> None:
    done = run_example(framework, f"{hub.url}/{path}", TOKEN)

    print(find_versions(framework))
    assert done.returncode == 0, done.stderr[-3000:]
    tools, _, answer = done.stdout.partition("answer:")
    assert "list_services" in tools
    assert "health_check" in tools
    assert answer.strip()
