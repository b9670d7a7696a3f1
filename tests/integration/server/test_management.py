"""The second listener: what operators and monitoring read."""

import asyncio
import subprocess
import time

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from mcphub_server.management.status import StatusBoard
from tests.support.hub import hub_in_loop
from tests.support.system_packages import ensure_packages

from .conftest import MakeHub
from .test_failures import query, wait_for_state


async def test_status_has_the_shape_that_the_operator_reads(
    hub_files: MakeHub,
) -> None:
    async with hub_in_loop(hub_files()) as hub, httpx.AsyncClient(timeout=100) as http:
        await wait_for_state(hub, "Connected")
        answer = await http.get(f"{hub.management}/status")

    body = answer.json()
    since = body["backends"][0].pop("since")
    assert body == {
        "version": "0.1.0",
        "serving": True,
        "draining": False,
        "sessions": 0,
        "inFlight": 0,
        "auth": {"ready": True, "reason": "", "message": ""},
        "configuration": {"digest": "", "problem": "", "warnings": []},
        "tools": [],
        "prompts": [],
        "backends": [
            {
                "name": "postgres",
                "type": "postgres",
                "state": "Connected",
                "reason": "",
                "message": "",
            }
        ],
    }
    assert time.strptime(since, "%Y-%m-%dT%H:%M:%SZ")
    assert answer.headers["etag"]


async def test_a_poll_waits_for_a_change_and_hears_of_it_at_once(
    hub_files: MakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        hub_in_loop(hub_files()) as hub,
        httpx.AsyncClient(timeout=300) as http,
    ):
        await wait_for_state(hub, "Connected")
        known = (await http.get(f"{hub.management}/status")).headers["etag"]
        unchanged = await http.get(
            f"{hub.management}/status", headers={"If-None-Match": known}
        )
        held = note_waiting(monkeypatch)
        waiting = asyncio.create_task(
            http.get(
                f"{hub.management}/status",
                headers={"If-None-Match": known, "Prefer": "wait=300"},
            )
        )
        assert await held == 300

        hub.hub.state.begin_draining()
        answer = await waiting

    assert unchanged.status_code == 304
    assert answer.status_code == 200
    assert answer.json()["draining"] is True


def note_waiting(monkeypatch: pytest.MonkeyPatch) -> asyncio.Future[float]:
    """Return what becomes the seconds of the next poll that waits."""
    held: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    wait = StatusBoard.wait_for_other

    async def note_and_wait(board: StatusBoard, etag: str, seconds: float) -> str:
        if seconds:
            held.set_result(seconds)
        return await wait(board, etag, seconds)

    monkeypatch.setattr(StatusBoard, "wait_for_other", note_and_wait)
    return held


async def test_metrics_count_calls_rows_and_bytes(hub_files: MakeHub) -> None:
    async with hub_in_loop(hub_files()) as hub, httpx.AsyncClient(timeout=100) as http:
        await wait_for_state(hub, "Connected")
        await query(hub, "SELECT generate_series(1, 7)")
        await query(hub, "DELETE FROM sales.orders")
        async with hub.client() as client:
            await client.call_tool_mcp("no_such_tool_" + "x" * 50, {})
        text = (await http.get(f"{hub.management}/metrics")).text

    lines = text.splitlines()
    count = (
        'mcp_server_operation_duration_seconds_count{error_type="%s",'
        'gen_ai_tool_name="%s",mcp_method_name="tools/call"} 1.0'
    )
    assert count % ("", "postgres_query") in lines
    assert count % ("tool_error", "postgres_query") in lines
    assert 'mcphub_result_rows_total{tool="postgres_query"} 7.0' in lines
    assert (
        'mcphub_tool_failures_total{kind="rejected",tool="postgres_query"} 1.0' in lines
    )
    for outcome in ("ok", "rejected"):
        labels = f'outcome="{outcome}",tool="postgres_query"'
        assert f"mcphub_tool_calls_total{{{labels}}} 1.0" in lines
    rule = "read-only/statement"
    assert f'mcphub_guard_refusals_total{{rule="{rule}"}} 1.0' in lines
    assert "mcphub_slot_wait_seconds_count 1.0" in lines
    waits = find_value(text, 'mcphub_pool_wait_seconds_count{backend="postgres"}')
    assert waits > 1, "the call's, and those of checks"
    assert find_value(text, "mcphub_authentications_total") > 3
    for file in ("hub.yaml", "live.yaml"):
        name = "mcphub_configuration_applied_timestamp_seconds"
        assert find_value(text, f'{name}{{file="{file}"}}') <= time.time()
    assert find_value(text, "process_resident_memory_bytes") > 0
    assert (
        'mcphub_backend_state{backend="postgres",state="Connected",type="postgres"} 1.0'
        in lines
    )
    assert 'mcphub_backend_connections_max{backend="postgres"} 5.0' in lines
    assert 'mcphub_build_info{version="0.1.0"} 1.0' in lines
    assert "no_such_tool" not in text


def find_value(text: str, series: str) -> float:
    """Return what a series has now."""
    (line,) = (line for line in text.splitlines() if line.startswith(f"{series} "))
    return float(line.rpartition(" ")[2])


async def test_prometheus_finds_nothing_wrong_with_the_metrics(
    hub_files: MakeHub,
) -> None:
    ensure_packages(promtool="prometheus")
    async with hub_in_loop(hub_files()) as hub, httpx.AsyncClient(timeout=100) as http:
        await wait_for_state(hub, "Connected")
        await query(hub, "DELETE FROM sales.orders")
        text = (await http.get(f"{hub.management}/metrics")).text

    assert await asyncio.to_thread(check_metrics, text) == (0, "")


def check_metrics(text: str) -> tuple[int, str]:
    """Return what Prometheus' own tool says."""
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "accept",
    [
        pytest.param("application/openmetrics-text;version=1.0.0", id="OpenMetrics"),
        pytest.param("application/openmetrics-text; version=x; q=y", id="nonsense"),
    ],
)
async def test_a_scraper_that_accepts_openmetrics_gets_it(
    accept: str, hub_files: MakeHub
) -> None:
    async with hub_in_loop(hub_files()) as hub, httpx.AsyncClient(timeout=100) as http:
        plain = await http.get(f"{hub.management}/metrics")
        answer = await http.get(f"{hub.management}/metrics", headers={"accept": accept})

    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
    assert list(text_string_to_metric_families(answer.text))


@pytest.mark.parametrize("path", ["/health", "/health/live", "/status", "/metrics"])
async def test_a_slash_at_the_end_makes_no_difference(
    hub_files: MakeHub, path: str
) -> None:
    async with hub_in_loop(hub_files()) as hub, httpx.AsyncClient() as http:
        answer = await http.get(f"{hub.management}{path}/")

    assert answer.status_code == 200


async def test_config_is_told_without_secrets(hub_files: MakeHub) -> None:
    async with hub_in_loop(hub_files()) as hub, httpx.AsyncClient(timeout=100) as http:
        body = (await http.get(f"{hub.management}/config")).json()

    backend = body["backends"][0]
    assert backend["name"] == "postgres"
    assert backend["postgres"]["pool"] == {"maxSize": 5}
    assert not {"username", "password"} & set(backend["postgres"])


async def test_a_hub_without_backends_serves(hub_files: MakeHub) -> None:
    files = hub_files()
    empty = type(files)(files.folder, {})
    async with hub_in_loop(empty) as hub, hub.client() as client:
        tools = await client.list_tools()
        health = await client.call_tool("health_check")

    assert [tool.name for tool in tools] == ["health_check", "list_services"]
    assert health.structured_content["status"] == "healthy"


async def test_two_databases_of_one_kind_have_tools_each(hub_files: MakeHub) -> None:
    files = hub_files()
    entry = files.config["backends"][0]
    config = {
        "backends": [{**entry, "name": "orders"}, {**entry, "name": "billing"}],
    }
    secrets = dict.fromkeys(("orders", "billing"), files.secrets["postgres"])
    both = type(files)(files.folder, config, secrets)
    async with hub_in_loop(both) as hub, hub.client() as client:
        services = await client.call_tool("list_services")
        answer = await client.call_tool("billing_query", {"sql": "SELECT 1"})

    assert answer.structured_content["rows"] == [[1]]
    assert services.structured_content["total_services"] == 2
    assert services.structured_content["services"]["orders"]["tools"] == [
        "orders_query",
        "orders_list_tables",
        "orders_describe_table",
        "orders_search_objects",
    ]
