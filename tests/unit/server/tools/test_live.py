"""The live configuration is followed whatever a library does."""

import asyncio
from pathlib import Path

from mcphub_server.tools.catalog import ToolCatalog
from mcphub_server.tools.live import LOOK_SECONDS, LiveParts, LiveTools
from mcphub_server.tools.prompts.catalog import PromptCatalog
from tests.support.virtual_time import in_virtual_time

RULES = "access: {{rules: [{{clients: [{}], tools: ['*']}}]}}\n"


@in_virtual_time
async def test_a_session_that_cancels_its_news_does_not_end_the_look_at_the_file(
    tmp_path: Path,
) -> None:
    file, told = tmp_path / "live.yaml", []

    async def notify() -> None:
        told.append(live.render()["configuration"]["digest"])
        if len(told) == 1:
            raise asyncio.CancelledError

    parts = LiveParts(file, {}, (), (), PromptCatalog(lambda _: ()))
    live = LiveTools(parts, ToolCatalog(), lambda: None, lambda _: None, notify)
    watching = asyncio.create_task(live.watch())
    for client in ("acme", "globex-corporation"):
        file.write_text(RULES.format(client))
        await asyncio.sleep(3 * LOOK_SECONDS)  # in virtual time
    watching.cancel()

    assert len(set(told)) == 2
