"""The `beanpole` command."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import IO

import click

from app.base.errors import BeanpoleError
from app.base.settings import Settings, load
from app.cli.token_commands import token

_HELD: list[IO[str]] = []


class Beanpole(click.Group):
    """Shows what went wrong as one line, without a traceback, when it is the user's to put right."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BeanpoleError as exc:
            raise click.ClickException(str(exc)) from exc


@click.group(cls=Beanpole, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="beanpole")
def main() -> None:
    """Beanpole: a container control plane that speaks the Kubernetes API."""


@main.command()
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    default=Path(".beanpole"),
    help="Folder of the cluster's state.",
)
@click.option(
    "--runtime",
    type=click.Choice(["docker", "process", "simulated"]),
    default=None,
    help="What runs containers. [default: docker if an engine answers, else process]",
)
@click.option(
    "--nodes",
    type=click.IntRange(1, 5000),
    default=None,
    help="Nodes on this machine. [default: as many as before, at first 1]",
)
@click.option("--listen", default="127.0.0.1", show_default=True, help="Address of the API.")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=6443, show_default=True, help="Port of the API."
)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Control workers.")
def up(state: Path, runtime: str | None, nodes: int | None, listen: str, port: int, workers: int) -> None:
    """Run a whole cluster on this machine; Ctrl-C stops it, and `up` again resumes it."""
    from app.cli.up import Wish
    from app.cli.up import up as run

    run(Wish(state, runtime or "", nodes or 0, listen, port, workers), load())


@main.command()
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    default=Path(".beanpole"),
    help="Folder of the cluster's state.",
)
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--purge", is_flag=True, help="Remove the state too; the next `up` makes a new cluster.")
def down(state: Path, yes: bool, purge: bool) -> None:
    """End what a cluster left running on this machine.

    Pods keep running when `beanpole up` stops, so that it can be restarted under them. This ends them: containers or
    processes get SIGTERM, and SIGKILL 10 seconds later; then their files, and with Docker the cluster's networks and
    its rules in nftables and iptables, are removed. `up` must have stopped. The cluster's objects are kept: `up` again
    starts its pods anew.
    """
    from app.cli.down import down as run
    from app.cli.state import State

    def confirm(sentence: str) -> bool:
        return yes or click.confirm(f"{sentence} Go on?")

    if not run(State(state), confirm, click.echo, purge=purge):
        raise click.ClickException("nothing was changed")


@main.command()
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    default=Path("state"),
    show_default=True,
    help="Folder to make it in.",
)
@click.option(
    "--host",
    "hosts",
    multiple=True,
    required=True,
    help="Name or address under which the API will be reached; may be given again.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=6443, show_default=True, help="Port of the API."
)
def init(state: Path, hosts: tuple[str, ...], port: int) -> None:
    """Make the certificates, tokens and kubeconfig of a cluster on several machines.

    `up` makes its own; this is for running `serve`, `worker` and `agent` yourself. Prints the API's address, a
    password for Redis and the agents' token as lines for an environment file:
    `beanpole init --host 192.0.2.7 > .env`.
    """
    from app.base.clock import SystemClock
    from app.cli.init import init as run
    from app.cli.state import State

    for line in run(
        State(state), hosts, port, load(), SystemClock(), lambda text: click.echo(text, err=True)
    ):
        click.echo(line)


@main.command()
def serve() -> None:
    """Run the API server."""
    _become("app.api.serve")


@main.command()
def worker() -> None:
    """Run a control worker: dispatcher, scheduler and controllers. Any number may run."""
    _become("workers.boot")


@main.command()
@click.option(
    "--server", default=None, help="Join the cluster whose API is at this URL, from another machine."
)
@click.option("--token", default="", help="Bootstrap token to join with; `beanpole token create` makes one.")
@click.option(
    "--ca-hash", "pins", multiple=True, help="Hash of the cluster's authority, sha256:...; refuse any other."
)
@click.option("--node", default=None, help="Name of the node. [default: this machine's name]")
@click.option("--runtime", type=click.Choice(["docker", "process", "simulated"]), default=None)
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    default=None,
    help="Join the cluster that `beanpole up` runs from this folder, as one more node of this machine. "
    "With --server: where this machine keeps its certificate and its pods' files. [default: .beanpole-agent]",
)
@click.option("--address", default="", help="Address of the node. [default: found out]")
@click.option("--labels", default="", help="Labels of the node: key=value,other=value.")
@click.option("--taints", default="", help="Taints with which it registers: key=value:NoSchedule,...")
@click.option(
    "--static-pods",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder of pods that the node runs whatever the API says.",
)
def agent(
    server: str | None,
    token: str,
    pins: tuple[str, ...],
    node: str | None,
    runtime: str | None,
    state: Path | None,
    address: str,
    labels: str,
    taints: str,
    static_pods: Path | None,
) -> None:
    """Run a node's agent."""
    if server is not None:
        from app.base.clock import SystemClock
        from app.cli.node_join import Joining, join

        name = node or socket.gethostname().lower()
        folder = state or Path(".beanpole-agent")
        environ = join(Joining(server.rstrip("/"), token, name, folder, pins, runtime or ""), SystemClock())
        os.environ.update(environ)
        _hold_agents(folder)
    elif state is not None:
        from app.cli.join import node_settings

        os.environ.update(node_settings(state, os.environ))
        _hold_agents(state)
    if node:
        os.environ["BEANPOLE_NODE"] = node
    if runtime:
        os.environ["BEANPOLE_RUNTIME"] = runtime
    given = {"ADDRESS": address, "LABELS": labels, "TAINTS": taints}
    os.environ.update({f"BEANPOLE_NODE_{name}": value for name, value in given.items() if value})
    if static_pods is not None:
        os.environ["BEANPOLE_STATIC_PODS"] = str(static_pods.absolute())
    _become("workers.agent.main")


@main.command("node-shutdown")
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    default=Path(".beanpole"),
    help="Folder of the agents' state.",
)
@click.option("--node", default="", help="This node only. [default: every node of this machine]")
@click.option("--cancel", is_flag=True, help="The machine stays after all.")
def node_shutdown(state: Path, node: str, cancel: bool) -> None:
    """End the pods of this machine's nodes before it shuts down.

    The nodes become NotReady and take no pods any more. Pods get their grace periods, critical ones last, within
    BEANPOLE_SHUTDOWN_GRACE seconds altogether; they have Failed then, and are replaced on other nodes. Agents that
    start again, with the machine, take pods as before.
    """
    from app.cli.node_shutdown import tell

    tell(state, node, cancel, click.echo)


@main.command()
@click.option("--state", type=click.Path(path_type=Path), default=Path(".beanpole"))
@click.option("--client-certificate", is_flag=True, help="Make a client certificate for --user instead.")
@click.option("--user", default="kubernetes-admin", show_default=True, help="Who the certificate stands for.")
@click.option("--group", "groups", multiple=True, help="A group of theirs; may be given again.")
@click.option("--days", type=click.FloatRange(min=0.01, max=3650), default=365.0, show_default=True)
def kubeconfig(
    state: Path, client_certificate: bool, user: str, groups: tuple[str, ...], days: float
) -> None:
    """Print the administrator's kubeconfig, or one with a client certificate for anybody."""
    from app.cli.state import State

    if client_certificate or groups:
        from app.base.clock import SystemClock

        click.echo(State(state).client_kubeconfig(user, groups, days, SystemClock()).decode(), nl=False)
        return
    path = State(state).kubeconfig
    if not path.exists():
        raise click.ClickException(
            f"there is no {path}; run `beanpole up` first, or name its folder with --state"
        )
    click.echo(path.read_text(), nl=False)


@main.command()
@click.argument("subject")
@click.option("--state", type=click.Path(path_type=Path), default=Path(".beanpole"))
def trace(subject: str, state: Path) -> None:
    """Show what a request did, step by step. SUBJECT is a trace id (the Audit-Id header of an answer) or an
    object such as `deployments.apps/default/web`, whose last change is followed."""
    from app.cli.trace import show

    for line in show(_store_settings(state), subject):
        click.echo(line)


@main.command()
@click.option("--state", type=click.Path(path_type=Path), default=Path(".beanpole"))
@click.option("--file", type=click.Path(path_type=Path), default=None, help="The log, if it is elsewhere.")
@click.option("--user", default="", help="Only what this user asked for, or somebody in their name.")
@click.option("--resource", default="", help="Only this resource, such as pods or deployments.apps.")
@click.option("--namespace", "-n", default="", help="Only this namespace.")
@click.option("--verb", default="", help="Only this verb, such as create.")
@click.option("--since", default="", help="Only the last 90s, 10m, 2h or 1d.")
@click.option("--refused", is_flag=True, help="Only what was not allowed.")
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text", show_default=True)
def audit(
    state: Path,
    file: Path | None,
    user: str,
    resource: str,
    namespace: str,
    verb: str,
    since: str,
    refused: bool,
    output: str,
) -> None:
    """Show who changed what, and who was refused: the audit log of a cluster, oldest first."""
    import json

    from app.base.clock import SystemClock
    from app.cli.audit import Wanted, entries, line, seconds
    from app.cli.state import State

    begun = SystemClock().now() - seconds(since) if since else 0.0
    for entry in entries(file or State(state).audit, Wanted(user, resource, namespace, verb, begun, refused)):
        click.echo(json.dumps(entry) if output == "json" else line(entry))


main.add_command(token)


def _hold_agents(folder: Path) -> None:
    """Keep `down` from the folder for as long as this process runs, whatever program it becomes."""
    from app.cli.state import State

    held = State(folder).lock_agents(alone=False)
    os.set_inheritable(held.fileno(), True)
    # Closed with the process only: the lock goes with the file.
    _HELD.append(held)


def _store_settings(state: Path) -> Settings:
    if not os.environ.get("BEANPOLE_REDIS_URL"):
        from app.cli.join import local_settings

        os.environ.update(local_settings(state))
    return load()


def _become(module: str) -> None:
    """Replace this process by the program in `module`: nothing of the command line stays in memory."""
    os.execv(sys.executable, [sys.executable, "-m", module])
