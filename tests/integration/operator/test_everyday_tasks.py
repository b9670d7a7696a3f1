"""The commands of docs/operations.md for everyday tasks, followed to the letter."""

import asyncio
import base64
from pathlib import Path

import yaml

from mcphub_operator.client.kinds import SECRET
from tests.support.doc_blocks import Block, Reader, read_blocks
from tests.support.running_operator import World, running_operator
from tests.support.waiting import wait_until
from tools.cluster.binaries import ensure_binaries
from tools.cluster.commands import run
from tools.project import DOCS

SECTION = "\n## Everyday tasks\n"
"""Above it the page shows what kubectl prints."""


def open_reader(world: World, folder: Path) -> Reader:
    """A user whose kubectl works in the namespace."""
    kubectl, config = ensure_binaries().part("kubectl"), folder / "kubeconfig"
    config.write_text(Path(world.kubeconfig).read_text())
    here = ("config", "set-context", "--current", "--namespace", world.namespace)
    run([kubectl, "--kubeconfig", config, *here])
    (folder / "kubectl").symlink_to(kubectl)
    path = f"{folder}:/usr/bin:/bin"
    return Reader(
        folder, {"KUBECONFIG": str(config), "PATH": path}, "", {"NAME": "mine"}
    )


def read_tasks(folder: Path) -> list[Block]:
    text = (DOCS / "operations.md").read_text()
    page = folder / "operations.md"
    page.write_text(text[text.index(SECTION) :])
    return [block for block in read_blocks(page) if block.is_command]


async def read_token(world: World) -> str:
    secret = await world.get(SECRET, "mine-auth")
    return base64.b64decode(secret["data"]["default"]).decode()


async def test_the_everyday_tasks(world: World, tmp_path: Path):
    reader, tokens = open_reader(world, tmp_path), []
    async with running_operator(world) as running:
        await world.apply_hub("mine")

        async def is_made() -> bool:
            return await world.find(SECRET, "mine-auth") is not None

        await wait_until(is_made)
        tokens.append(await read_token(world))
        for block in read_tasks(tmp_path):
            printed = await asyncio.to_thread(reader.run, block)
            if "{.data.default}" in block.text:
                tokens.append(printed.splitlines()[-1])
        await running.settle()

        assert len({*tokens}) == 3, "the first, the rotated one, and a new one"
        assert tokens[-1] == await read_token(world), "the backup's is restored"
    copies = yaml.safe_load_all((tmp_path / "mine-secrets.yaml").read_text())
    assert [each["metadata"]["name"] for each in copies] == ["mine-auth", "mine-keys"]
