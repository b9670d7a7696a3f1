"""axe-core, which finds what keeps people with a screen reader or a keyboard out.

https://github.com/dequelabs/axe-core
"""

import json
from pathlib import Path

from tests.support.browser.chromium import Tab
from tests.support.node.clients import install_packages

SOURCES = Path(__file__).parent


def install_axe() -> str:
    """Return the script, from the cache or from npm."""
    modules = install_packages(SOURCES, "axe", "accessibility rules", "3 MB")
    return (modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


async def find_violations(tab: Tab, script: str) -> list[str]:
    """Return what breaks a rule in the page as it is now, each with its elements."""
    await tab.run(f"{script}; 0")
    found = json.loads(await tab.run("axe.run().then((r) => JSON.stringify(r))"))
    assert found["passes"]
    return [
        f"{rule['id']}: {', '.join(str(node['target']) for node in rule['nodes'])}"
        for rule in found["violations"]
    ]
