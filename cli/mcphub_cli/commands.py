"""The commands and their options; what they do stands in the other modules."""

from pathlib import Path
from typing import Annotated

import typer

from mcphub_cli import client_configs, names, reports
from mcphub_cli.arguments import check_duration, read_arguments
from mcphub_cli.audit_log import Filter, read_calls
from mcphub_cli.client_configs import FILES, TITLES, Target
from mcphub_cli.cluster import Cluster
from mcphub_cli.errors import CliError, ExitCode, UsageError
from mcphub_cli.kubectl import Kubectl
from mcphub_cli.output import Format, print_json, print_text, progress
from mcphub_cli.use import Access, examine_hub, open_hub

app = typer.Typer(
    name="kubectl mcphub",
    help="See and use MCP hubs in the cluster that kubectl points at.",
    epilog="Exit codes: 0 done; 1 a hub is not well, or a tool reported an error; 2 the"
    " command line is wrong, or does not fit the hub; 3 there is no way to the hub.",
    add_completion=False,  # kubectl completes plugins by kubectl_complete-mcphub
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # it prints local variables, tokens among them
    context_settings={"help_option_names": ["-h", "--help"]},
)

HubName = Annotated[str, typer.Argument(metavar="HUB", help="Name of the hub.")]
Namespace = Annotated[
    str,
    typer.Option(
        "--namespace", "-n", help="Namespace of the hub; default: the context's."
    ),
]
Context = Annotated[str, typer.Option(help="Context of the kubeconfig.")]
Kubeconfig = Annotated[str, typer.Option(help="Path of the kubeconfig.")]
Output = Annotated[Format, typer.Option("--output", "-o", help="How to print.")]
Url = Annotated[
    str,
    typer.Option(help="Address of the hub; without it a port is forwarded."),
]
PastedUrl = Annotated[
    str,
    typer.Option(help="Address to print; default: URL of `kubectl mcphub status`."),
]
Authority = Annotated[
    str,
    typer.Option(
        "--certificate-authority",
        metavar="FILE",
        help="Certificates (PEM) that --url is signed by, if no public authority is.",
    ),
]
Token = Annotated[
    str,
    typer.Option(
        envvar="MCPHUB_TOKEN",
        help="The client's token; default: the one in the hub's Secret.",
        show_envvar=True,
    ),
]
Client = Annotated[
    str,
    typer.Option(
        help="Whose token to read from the hub's Secret; default: that of `default`,"
        " or the only one."
    ),
]


@app.command()
def status(
    hub: Annotated[str, typer.Argument(metavar="HUB", help="Name of a hub.")] = "",
    *,
    namespace: Namespace = "",
    all_namespaces: Annotated[
        bool, typer.Option("--all-namespaces", "-A", help="Hubs of all namespaces.")
    ] = False,
    context: Context = "",
    kubeconfig: Kubeconfig = "",
    output: Output = Format.TEXT,
) -> None:
    """Show hubs, or one hub with its conditions and databases.

    Exits with 1 unless every hub is Available and reaches all its databases.
    """
    if hub and all_namespaces:
        raise UsageError("Name a hub, or ask for all namespaces; not both")
    cluster = _open_cluster(namespace, context, kubeconfig)
    flags = ["--all-namespaces"] if all_namespaces else []
    hubs = [cluster.get_hub(hub)] if hub else cluster.list_hubs(*flags)
    if output is Format.JSON:
        print_json([reports.describe_hub(each) for each in hubs])
    elif not hubs:
        print_text("There are no hubs here; `-A` shows those of all namespaces.")
    else:
        print_text(reports.show_hub(hubs[0]) if hub else reports.list_hubs(hubs))
    _exit(is_well=all(each.is_well for each in hubs))


@app.command()
def tools(
    hub: HubName,
    *,
    namespace: Namespace = "",
    url: Url = "",
    authority: Authority = "",
    token: Token = "",
    client: Client = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
    output: Output = Format.TEXT,
) -> None:
    """List the tools that a client of the hub may call."""
    access = Access(url, token, client, authority)
    cluster = _open_cluster(namespace, context, kubeconfig)
    with (
        progress(f"Asking hub {hub}"),
        open_hub(cluster, cluster.get_hub(hub), access) as session,
    ):
        found = session.list_tools()
    if output is Format.JSON:
        print_json(found)
    else:
        print_text(reports.list_tools(found))


@app.command()
def call(
    hub: HubName,
    tool: Annotated[str, typer.Argument(metavar="TOOL", help="Name of the tool.")],
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME=VALUE", help="Arguments of the tool."),
    ] = None,
    *,
    arguments: Annotated[
        str, typer.Option("--arguments", help="Arguments as a JSON object.")
    ] = "",
    namespace: Namespace = "",
    url: Url = "",
    authority: Authority = "",
    token: Token = "",
    client: Client = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
    output: Output = Format.TEXT,
) -> None:
    """Call a tool and print its result; exit with 1 if the tool reports an error."""
    given = read_arguments(words or (), arguments)
    access = Access(url, token, client, authority)
    cluster = _open_cluster(namespace, context, kubeconfig)
    with (
        progress(f"Calling {tool}"),
        open_hub(cluster, cluster.get_hub(hub), access) as session,
    ):
        known = {each["name"]: each for each in session.list_tools()}
        if tool not in known:
            raise UsageError(
                f"Hub {hub} has no tool {tool}; it has: {', '.join(known)}"
            )
        schema = known[tool].get("inputSchema") or {}
        result = session.call_tool(tool, given.fit(schema))
    answer, failed = reports.read_result(result), bool(result.get("isError"))
    if output is Format.JSON:
        print_json({"error": answer} if failed else answer)
    else:
        print_text(reports.show_result(answer))
    _exit(is_well=not failed)


@app.command()
def connect(
    hub: HubName,
    *,
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="PROGRAM",
            help=f"MCP client to configure: {', '.join(TITLES)}; default: all.",
        ),
    ] = "",
    write: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Add the hub to this configuration file of --to; print no token.",
        ),
    ] = None,
    namespace: Namespace = "",
    url: PastedUrl = "",
    token: Token = "",
    client: Client = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
    output: Output = Format.TEXT,
) -> None:
    """Print what to paste into MCP clients, token included; or write it to a file."""
    if to and to not in TITLES:
        raise UsageError(f"There is no client {to}; there are: {', '.join(TITLES)}")
    if write is not None and to not in FILES:
        raise UsageError(f"--write needs --to with one of: {', '.join(FILES)}")
    access = Access(url, token, client)
    cluster = _open_cluster(namespace, context, kubeconfig)
    found = cluster.get_hub(hub)
    base_url = (url or found.url).rstrip("/").removesuffix(names.PATH_MCP)
    if not base_url:
        raise CliError(
            f"Hub {hub} has no URL while no replica serves;"
            f" `kubectl mcphub doctor {hub}` finds out why."
        )
    target = Target(
        base_url, cluster.find_token(found, access.token, access.client), hub
    )
    if write is not None:
        _write_file(to, write, target)
        return
    clients = [to] if to else list(TITLES)
    if output is Format.JSON:
        texts = {each: client_configs.render(each, target) for each in clients}
        print_json({"url": f"{base_url}{names.PATH_MCP}", "clients": texts})
    else:
        print_text(
            client_configs.render(to, target)
            if to
            else client_configs.paste_sheet(target)
        )
    if ".svc" in base_url and not url:
        typer.echo(
            f"This address works inside the cluster only. From your machine run"
            f" `kubectl -n {found.namespace} port-forward service/{hub} 8000` and add"
            " --url http://127.0.0.1:8000 here.",
            err=True,
        )


def _write_file(client: str, path: Path, target: Target) -> None:
    try:
        before = path.read_bytes() if path.exists() else b""
        text = FILES[client](target).merge(before, target.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)  # it holds a token
        path.write_text(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    print_text(f"Wrote hub {target.name} to {path}.")


@app.command()
def logs(
    hub: HubName,
    *,
    tool: Annotated[str, typer.Option(help="Only calls of this tool; * matches.")] = "",
    client: Annotated[
        str, typer.Option(help="Only calls of this client; * matches.")
    ] = "",
    outcome: Annotated[str, typer.Option(help="Only this outcome, as ok.")] = "",
    failed: Annotated[
        bool, typer.Option("--failed", help="Only calls that did not end ok.")
    ] = False,
    since: Annotated[str, typer.Option(help="How far back, as 10m or 2h.")] = "1h",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on as calls are made.")
    ] = False,
    namespace: Namespace = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
    output: Output = Format.TEXT,
) -> None:
    """Show the audit log: who called which tool, and how it went."""
    check_duration("--since", since)
    cluster = _open_cluster(namespace, context, kubeconfig)
    flags = [f"--since={since}", "--tail=-1", *(["--follow"] if follow else [])]
    lines = cluster.read_logs(cluster.get_hub(hub), *flags)
    for line in read_calls(lines, Filter(tool, client, outcome, failed)):
        if output is Format.JSON:
            print_json(line, indent=None)
        else:
            print_text(reports.show_call(line))


@app.command()
def doctor(
    hub: HubName,
    *,
    namespace: Namespace = "",
    url: Url = "",
    authority: Authority = "",
    token: Token = "",
    client: Client = "",
    context: Context = "",
    kubeconfig: Kubeconfig = "",
    output: Output = Format.TEXT,
) -> None:
    """Walk from the hub to its databases; say the first thing that is wrong."""
    access = Access(url, token, client, authority)
    cluster = _open_cluster(namespace, context, kubeconfig)
    found = cluster.get_hub(hub)
    checks = []
    with progress(f"Examining hub {hub}"):
        for check in examine_hub(cluster, found, access):
            checks.append(check)
            if output is Format.TEXT:
                print_text(reports.show_check(check), "" if check.is_well else "red")
    if output is Format.JSON:
        print_json(reports.describe_walk(f"{found.namespace}/{found.name}", checks))
    _exit(is_well=checks[-1].is_well)


def _open_cluster(namespace: str, context: str, kubeconfig: str) -> Cluster:
    given = {"namespace": namespace, "context": context, "kubeconfig": kubeconfig}
    flags = tuple(f"--{name}={value}" for name, value in given.items() if value)
    return Cluster(Kubectl(flags))


def _exit(*, is_well: bool) -> None:
    if not is_well:
        raise typer.Exit(ExitCode.UNHEALTHY)
