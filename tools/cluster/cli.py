"""Carries out kind's command line: by the real kind, or by this package."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tools.cluster import (
    create,
    delete,
    imagestore,
    kubeconfig,
    load,
    machine,
    policies,
    power,
    realkind,
)
from tools.cluster.arguments import (
    DEFAULT_NAME,
    build_parser,
    parse_duration,
    parse_pairs,
)
from tools.cluster.baseimage import ensure_base_archive
from tools.cluster.binaries import ensure_binaries, find_module, kubernetes_version
from tools.cluster.errors import BadInput, ClusterError
from tools.cluster.images import BuildRequest, build_image, find_built
from tools.cluster.kindconfig import DEFAULT, KindConfig, parse_config, read_config
from tools.cluster.machine import ensure_packages, require_root
from tools.cluster.places import exclusive, log_dir
from tools.cluster.progress import say
from tools.cluster.provider import Choice, choose
from tools.cluster.state import all_states, state_of

Arguments = argparse.Namespace


def _name(arguments: Arguments) -> str:
    return str(arguments.name) or DEFAULT_NAME


def _config(arguments: Arguments) -> KindConfig:
    if arguments.config == "-":
        return parse_config(sys.stdin.read(), "standard input")
    return read_config(Path(arguments.config)) if arguments.config else DEFAULT


def _create_cluster(arguments: Arguments) -> None:
    options = create.Options(arguments.retain, parse_duration(arguments.wait))
    config = _config(arguments)
    name = str(arguments.name) or config.name or DEFAULT_NAME
    if arguments.image:
        say(f" ! --image {arguments.image} is not used: the node is built from source")
    target = kubeconfig.default_path(arguments.kubeconfig)
    say(f"Creating cluster {name!r} ...")
    create.create_cluster(name, config, target, options)
    say(f" kubectl --context kind-{name} --kubeconfig {target} get nodes")


def _delete(name: str, path: str | None) -> None:
    say(f"Deleting cluster {name!r} ...")
    state = state_of(name)
    if state.folder.exists():
        busy = f"cluster {name!r} is being made or deleted now"
        with exclusive(f"cluster-{name}", busy):
            delete.delete_cluster(state)
    kubeconfig.remove_from(kubeconfig.default_path(path), f"kind-{name}")


def _delete_cluster(arguments: Arguments) -> None:
    _delete(_name(arguments), arguments.kubeconfig)


def _delete_clusters(arguments: Arguments) -> None:
    everything = [state.name for state in all_states()]
    for name in everything if arguments.all else arguments.names:
        _delete(name, arguments.kubeconfig)


def _get_clusters(_: Arguments) -> None:
    names = [state.name for state in all_states()]
    print("\n".join(names)) if names else say("No kind clusters found.")


def _get_nodes(arguments: Arguments) -> None:
    names = [state.name for state in all_states()]
    for name in names if arguments.all_clusters else [_name(arguments)]:
        print("\n".join(node.name for node in state_of(name).read_plan().nodes))


def _get_kubeconfig(arguments: Arguments) -> None:
    state = state_of(_name(arguments))
    state.read_plan()
    print(state.admin_kubeconfig.read_text(), end="")


def _export_kubeconfig(arguments: Arguments) -> None:
    state = state_of(_name(arguments))
    state.read_plan()
    target = kubeconfig.default_path(arguments.kubeconfig)
    kubeconfig.merge_into(target, kubeconfig.read(state.admin_kubeconfig))


def _export_logs(arguments: Arguments) -> None:
    state = state_of(_name(arguments))
    plan = state.read_plan()
    default = log_dir() / f"exported-{state.name}"
    folder = Path(arguments.folder or default).absolute()
    shutil.copytree(state.folder / "logs", folder, dirs_exist_ok=True)
    for node in plan.nodes:
        pods = state.node_folder(node) / "pod-logs"
        if pods.exists():
            shutil.copytree(pods, folder / node.name / "pods", dirs_exist_ok=True)
    print(folder)


def _load(arguments: Arguments) -> None:
    site = power.site_of(_name(arguments))
    nodes = [name for name in arguments.nodes.split(",") if name]
    for image in arguments.images:
        load.load_archive(site, _archive_of(image), nodes)


def _archive_of(image: str) -> Path:
    if Path(image).is_file():
        return Path(image)
    built = find_built(image)
    if built:
        return built
    saved = log_dir().parent / "saved.tar"
    if load.save_from_engine(image, saved):
        return saved
    raise BadInput(f"no image {image!r}: build it (kind image build -t {image} …)")


def _node_kill(arguments: Arguments) -> None:
    site = power.site_of(_name(arguments))
    for name in arguments.nodes:
        power.kill_node(site, site.plan.node(name))


def _node_start(arguments: Arguments) -> None:
    power.start_nodes(power.site_of(_name(arguments)), arguments.nodes)


def _apiserver_stop(arguments: Arguments) -> None:
    power.stop_api_server(power.site_of(_name(arguments)))


def _apiserver_start(arguments: Arguments) -> None:
    power.restart_api_server(power.site_of(_name(arguments)))


def _policies_enforce(arguments: Arguments) -> None:
    policies.enforce(power.site_of(_name(arguments)))


def _paths(_: Arguments) -> None:
    there = shutil.which("kubectl") if choose().is_real else None
    print(there or ensure_binaries().part("kubectl"))


def _build(_: Arguments) -> None:
    require_root()
    ensure_packages()
    machine.install(machine.missing_packages(machine.FOR_IMAGES))
    # One waits for the processors, the other for the network.
    with ThreadPoolExecutor() as pool:
        base = pool.submit(ensure_base_archive)
        binaries = pool.submit(ensure_binaries)
    archives = imagestore.system_archives(binaries.result())
    imagestore.ensure_store([*archives, base.result()])


def _image_build(arguments: Arguments) -> None:
    context = Path(arguments.context).absolute()
    file = Path(arguments.file).absolute() if arguments.file else context / "Dockerfile"
    values = parse_pairs(arguments.build_arg)
    name = arguments.tag or arguments.name
    request = BuildRequest(name, file, context, values, bool(arguments.name))
    print(build_image(request).names[0])


def _version(_: Arguments) -> None:
    version = kubernetes_version(find_module().read_text())
    print(f"kind v0.0.0-mcphub clusters without Docker, Kubernetes {version}")


COMMANDS: dict[tuple[str, str], Callable[[Arguments], None]] = {
    ("create", "cluster"): _create_cluster,
    ("delete", "cluster"): _delete_cluster,
    ("delete", "clusters"): _delete_clusters,
    ("get", "clusters"): _get_clusters,
    ("get", "nodes"): _get_nodes,
    ("get", "kubeconfig"): _get_kubeconfig,
    ("export", "logs"): _export_logs,
    ("export", "kubeconfig"): _export_kubeconfig,
    ("load", "docker-image"): _load,
    ("load", "image-archive"): _load,
    ("node", "kill"): _node_kill,
    ("node", "start"): _node_start,
    ("apiserver", "stop"): _apiserver_stop,
    ("apiserver", "start"): _apiserver_start,
    ("policies", "enforce"): _policies_enforce,
    ("paths", ""): _paths,
    ("build", ""): _build,
    ("image", "build"): _image_build,
    ("version", ""): _version,
}
# The same with both providers.
COMMON = {("paths", ""), ("image", "build")}


def _is_ours(arguments: Arguments, key: tuple[str, str], choice: Choice) -> bool:
    """Tell whether this package acts: on its own clusters always."""
    if key in COMMON or not choice.is_real:
        return True
    return "name" in arguments and state_of(_name(arguments)).folder.exists()


def run(words: Sequence[str]) -> int:
    """Carry out one command line; return the exit code."""
    arguments = build_parser().parse_args(words)
    key = (arguments.command, getattr(arguments, "what", ""))
    choice = choose()
    if key == ("create", "cluster"):
        who = "the real kind" if choice.is_real else "this project, without Docker"
        say(f"Clusters are made by {who}: {choice.reason}")
    if not _is_ours(arguments, key, choice):
        name = arguments.name if "name" in arguments else ""
        name = name or realkind.name_in_config(arguments) or DEFAULT_NAME
        return realkind.carry_out(arguments, words, name)
    COMMANDS[key](arguments)
    return 0


def main() -> None:
    """Run as a program."""
    try:
        code = run(sys.argv[1:])
    except ClusterError as error:
        say(f"ERROR: {error}")
        code = 1
    except KeyboardInterrupt:
        say("Interrupted")
        code = 130
    sys.stdout.flush()
    os._exit(code) if code == 130 else sys.exit(code)


if __name__ == "__main__":
    main()
