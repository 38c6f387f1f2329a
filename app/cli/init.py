"""`beanpole init`: the certificates, tokens and kubeconfig of a cluster whose programs `up` does not run."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.base.clock import Clock
from app.base.settings import Settings
from app.cli.state import State, own_hosts, service_hosts
from app.registry.addresses import first_service_address

EVERYWHERE = "0.0.0.0"


def init(
    state: State,
    hosts: Sequence[str],
    port: int,
    settings: Settings,
    clock: Clock,
    say: Callable[[str], None],
) -> list[str]:
    """Make what is missing in the folder, and tell by `say` what is there now. What exists is kept, so that doing it
    again with more hosts makes a new certificate and nothing else.

    Args:
        hosts: names and addresses under which the API will be reached besides this machine's own; the first is
            the one in the kubeconfig.
        settings: where the services of the cluster live: pods reach the API as one of them.

    Returns:
        What the programs need, with Redis's password and the agents' token, as lines `NAME=value` for an
        environment file.

    Raises:
        UserError: the folder is in use, can't be written, or holds something damaged.
    """
    with state.lock():
        try:
            secrets = state.secrets()
            service = service_hosts(first_service_address(settings.service_cidr), settings.cluster_domain)
            own = [*own_hosts(EVERYWHERE), *service]
            state.certify([*own, *(host for host in dict.fromkeys(hosts) if host not in own)], clock)
            server = f"https://{hosts[0]}:{port}"
            state.write_kubeconfig(server, secrets["admin"])
        except OSError as exc:
            raise state.unusable(exc) from exc
    say(f"certificate: {state.certificate}, for {', '.join(hosts)} and this machine's own names")
    say(f"authority, for agents on other machines: {state.ca}")
    say(f"tokens: {state.tokens}")
    say(f"key for tokens of ServiceAccounts: {state.account_key}")
    say(f"kubeconfig: {state.kubeconfig}, for {server}")
    return [
        f"BEANPOLE_SERVER={server}",
        f"BEANPOLE_PASSWORD={secrets['valkey']}",
        f"BEANPOLE_TOKEN={secrets['agent']}",
    ]
