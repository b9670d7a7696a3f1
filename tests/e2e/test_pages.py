"""The pages that a new user follows, block by block, from the quickstart's state.

Each page has a namespace of its own. `test_migrating.py` follows the page that moves
clients.
"""

import subprocess
import sys
from pathlib import Path

import yaml

from tests.support.doc_blocks import Block, Reader, read_blocks
from tests.support.hub_manifests import DATABASE_HOST, hub
from tests.support.installation import Installation
from tools.ports import reserve_port
from tools.project import DOCS, EXAMPLES, ROOT
from tools.quickstart.calls import call_tool

QUESTION = {"sql": "SELECT count(*) AS orders FROM orders"}


def open_reader(
    team: Installation, folder: Path, fill: dict[str, str], at: Path | None = None
) -> Reader:
    """A user with their own values, in a folder of their own or another one."""
    environment = team.build_environment(folder)
    return Reader(at or folder, environment, "quickstart", fill)


def own_database(team: Installation) -> dict[str, str]:
    """What stands for the user's database and login."""
    user, password = team.login()
    return {
        "postgres.data.svc": DATABASE_HOST,
        "database: app": "database: shop",
        "hub_reader": user,
        "password=…": f"password={password}",
    }


def is_token(block: Block) -> bool:
    return "{.data.default}" in block.text


def test_the_readme(installation: Installation, tmp_path: Path):
    team, port = installation.open_namespace("page-readme"), reserve_port()
    forward = "service/team-data "
    fill = own_database(team) | {f"{forward}8000": f"{forward}{port}:8000"}
    token = ""
    answers = []

    for block, printed in open_reader(team, tmp_path, fill).follow(ROOT / "README.md"):
        token = printed if is_token(block) else token
        if block.note == "background":
            url = f"http://127.0.0.1:{port}/mcp"
            answers.append(call_tool(url, token, "postgres_query", QUESTION).result)

    (answer,) = answers
    assert answer["columns"] == ["orders"]


def test_databases(installation: Installation, tmp_path: Path):
    team = installation.open_namespace("page-databases")
    names = {
        "NAME": "data",
        "-n shop": f"-n {team.namespace}",
        "[shop]": f"[{team.namespace}]",
        "default:cluster": f"{team.namespace}:cluster",
    }
    reader = open_reader(team, tmp_path, own_database(team) | names)
    page = DOCS / "databases.md"
    team.apply(hub("data", backends=piece_of(page, "postgres", reader)))
    team.apply(hub("cluster", backends=piece_of(page, "kubernetes", reader)))
    said = ""

    for block, printed in reader.follow(page):
        if "create secret" in block.text:
            team.wait("mcphub/data", "condition=BackendsReachable")
        said = printed if ".status.backends" in block.text else said

    assert said.startswith("postgres: Connected")
    team.wait("mcphub/cluster", "condition=BackendsReachable")


def test_clients(installation: Installation, tmp_path: Path):
    team, port = installation.open_namespace("page-clients"), reserve_port()
    team.apply(hub("mine"))
    team.wait_settled("mine")
    fill = {"service/HUB 8000": f"service/mine {port}:8000", "HUB-auth": "mine-auth"}
    url, token, page = f"http://127.0.0.1:{port}", "", DOCS / "clients.md"
    called = []

    for block, printed in open_reader(team, tmp_path, fill).follow(page):
        token = printed if is_token(block) else token
        if block.note == "background":
            called += [
                call_tool(f"{url}/{path}", token, "health_check", {})
                for path in ("mcp", "sse")
            ]
            assert "postgres" in run_program(page, url, token).stdout

    assert len(called) == 2


def run_program(page: Path, url: str, token: str) -> subprocess.CompletedProcess[str]:
    """Run the page's Python program."""
    (block,) = (block for block in read_blocks(page) if block.language == "python")
    text = block.text.replace("http://HOST:30800", url).replace("TOKEN", token)
    command = [sys.executable, "-c", text]
    return subprocess.run(command, check=True, capture_output=True, text=True)


def test_the_examples(installation: Installation, tmp_path: Path):
    team = installation.open_empty_namespace("page-examples")
    fill = {"--name mcphub ": f"--name {installation.trial.site.cluster} "}
    reader = open_reader(team, tmp_path, fill, at=ROOT)

    followed = [block for block, _ in reader.follow(EXAMPLES / "README.md")]

    assert len(followed) == 3
    assert team.condition("minimal", "Ready")["status"] == "True"
    team.kubectl("exec", "deployment/postgres", "--", "pg_isready", "--dbname=shop")


def piece_of(page: Path, kind: str, reader: Reader) -> list[dict[str, object]]:
    """The page's first backend of a kind."""
    pieces = (yaml_of(block, reader) for block in read_blocks(page))
    found = (p["backends"] for p in pieces if isinstance(p, dict) and "backends" in p)
    return next(list(backends) for backends in found if kind in backends[0])


def yaml_of(block: Block, reader: Reader) -> object:
    if block.language != "yaml":
        return None
    return yaml.safe_load(reader.fill_in(block.text))
