"""`beanpole token create|list|delete`, as commands."""

from __future__ import annotations

from pathlib import Path

import click

from app.objects.bootstrap_token import NODE_GROUP

_STATE = click.option(
    "--state",
    type=click.Path(path_type=Path),
    default=Path(".beanpole"),
    help="Folder of the cluster's state.",
)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Duration(click.ParamType):
    """A number with a unit, such as `90m` or `24h`; 0 stands for ever. In seconds."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text = str(value)
        if text == "0":
            return 0.0
        number, unit = text[:-1], text[-1:]
        if unit not in _UNITS or not number.isdecimal() or not int(number):
            self.fail(f"{text!r} is no time; give one such as 90m, 24h or 7d, or 0 for ever", param, ctx)
        return float(int(number) * _UNITS[unit])


@click.group()
def token() -> None:
    """Bootstrap tokens, by which other machines join the cluster."""


@token.command()
@click.argument("text", metavar="[TOKEN]", default="")
@_STATE
@click.option(
    "--ttl", type=Duration(), default="24h", show_default=True, help="How long it is good; 0: for ever."
)
@click.option(
    "--group",
    "groups",
    multiple=True,
    default=(NODE_GROUP,),
    show_default=True,
    help="Group of who shows it.",
)
@click.option("--description", default="", help="What it is for.")
@click.option("--print-join-command", is_flag=True, help="Print what to type on the machine that joins.")
def create(
    text: str, state: Path, ttl: float, groups: tuple[str, ...], description: str, print_join_command: bool
) -> None:
    """Make a token and print it; TOKEN, or one that is drawn."""
    from app.base.clock import SystemClock
    from app.cli import kubeconfig, tokens
    from app.cli.state import State

    folder = State(state)
    client = kubeconfig.administrator(folder.kubeconfig)
    made = tokens.create(
        client, SystemClock(), seconds=ttl, groups=groups, description=description, text=text
    )
    if print_join_command:
        click.echo(tokens.join_command(made, kubeconfig.server_of(folder.kubeconfig), folder.ca))
    else:
        click.echo(made.text)


@token.command("list")
@_STATE
def list_(state: Path) -> None:
    """Show all tokens."""
    from app.base.clock import SystemClock
    from app.cli import kubeconfig, tokens
    from app.cli.state import State

    client = kubeconfig.administrator(State(state).kubeconfig)
    for line in tokens.table(tokens.listed(client), SystemClock().now()):
        click.echo(line)


@token.command()
@click.argument("text", metavar="TOKEN")
@_STATE
def delete(text: str, state: Path) -> None:
    """Remove a token, named by itself or its first six letters."""
    from app.cli import kubeconfig, tokens
    from app.cli.state import State

    name = tokens.delete(kubeconfig.administrator(State(state).kubeconfig), text)
    click.echo(f'bootstrap token "{name}" deleted')
