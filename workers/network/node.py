"""A node's whole network, as its agent uses it: services, names, and what pods need to know of both."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping
from pathlib import Path

from app.base.clock import Clock, SystemClock
from app.base.ids import Ids
from app.base.settings import Settings
from app.objects.change import Object
from workers.network import hosts, names, rules
from workers.network.dns import NameServer, NameServerError, machine_resolvers
from workers.network.host_ports import HostPorts, rules_for
from workers.network.nft import NftPlane
from workers.network.protocol import DataPlane, DataPlaneError
from workers.network.routes import Routes
from workers.network.select import make_data_plane

log = logging.getLogger(__name__)

RESOLV_CONF = Path("/etc/resolv.conf")
HOSTS = Path("/etc/hosts")


class NodeNetwork:
    """Keeps a node's service rules and names up to what it is told.

    Attributes:
        plane: the data plane. revision: the revision that is in force on this node.
    """

    def __init__(
        self,
        settings: Settings,
        runtime_name: str,
        node: str,
        *,
        plane: DataPlane | None = None,
        clock: Clock | None = None,
        ids: Ids | None = None,
    ) -> None:
        self._node = node
        self._domain = settings.cluster_domain
        self._dns_wanted = runtime_name == "docker"
        self._ids = ids
        self._server: NameServer | None = None
        self._services: tuple[Object, ...] = ()
        self._slices: tuple[Object, ...] = ()
        self._lines = hosts.ServiceLines()
        self._names_problem = ""
        self._rules: rules.Rules | None = None
        self._lock = threading.Lock()
        # An engine maps ports itself.
        self._ports = HostPorts(clock, ids) if runtime_name == "process" else None
        self.plane = plane or make_data_plane(settings, runtime_name, clock, ids)
        # Only containers of an engine have addresses that another machine could reach.
        self._routes = (
            Routes(settings.pod_cidr, clock or SystemClock()) if isinstance(self.plane, NftPlane) else None
        )

    @property
    def revision(self) -> int:
        return self.plane.revision

    def start(self, gateway: str) -> None:
        """Serve names at `gateway`, what `Runtime.prepare` returned. In the process runtime hosts files
        do that. Doing it twice does no harm; what goes wrong shows in `problems`."""
        if not self._dns_wanted or (self._server and self._server.address[0] == gateway):
            return
        if self._server:
            self._server.close()
            self._server = None
        upstreams = [r for r in machine_resolvers(RESOLV_CONF) if r != gateway]
        current = names.build(self._services, self._slices, self._domain)
        try:
            self._server = NameServer(gateway, current, upstreams, ids=self._ids)
            self._names_problem = ""
        except NameServerError as exc:
            self._names_problem = str(exc)
            log.warning("%s", exc)

    def update(self, services: Collection[Object], endpointslices: Collection[Object], revision: int) -> bool:
        """Put all services of the cluster in force as of `revision`. Whether that worked; if not, what
        was there before still is, and `problems` says why."""
        self._services, self._slices = tuple(services), tuple(endpointslices)
        self._lines = hosts.ServiceLines(self._services, self._slices, self._domain)
        if self._server:
            self._server.names = names.build(self._services, self._slices, self._domain)
        with self._lock:
            try:
                wanted = rules.build(self._services, self._slices, self._node, revision)
                self.plane.apply(wanted)
            except DataPlaneError as exc:
                log.error("%s", exc)
                return False
            self._rules = wanted
        return True

    def keep(self) -> None:
        """See that what is in force still is: a restart of the engine or of a firewall takes rules away that are not
        its own, and an address that another program had may be free by now. Costs little when all is well."""
        with self._lock:
            if self._rules is None:
                return
            try:
                self.plane.apply(self._rules)
            except DataPlaneError as exc:
                log.error("%s", exc)

    def reach(self, peers: Mapping[str, tuple[str, str]], own_address: str) -> None:
        """Have routes to the pods of other machines. Costs next to nothing while nothing changes; what went wrong shows
        in `problems` and is tried again, less and less often.

        Args:
            peers: by node, this one among them, its machine's address and the range of its pods'; empty before any
                was told of. own_address: this machine's, empty until it is known.
        """
        if self._routes is not None and own_address and peers:
            self._routes.apply(peers, own_address)

    def hosts(self, pod: Object, address: str) -> str:
        """The pod's /etc/hosts as it should be now. Where DNS serves, it names no services."""
        lines, machine = self._around_pod(pod)
        return hosts.pod_hosts(pod, address, lines, self._domain, machine)

    def hosts_mark(self, pod: Object) -> int:
        """Another number whenever `hosts` says something else of the same pod and address; costs next to nothing."""
        return hash(self._around_pod(pod))

    def _around_pod(self, pod: Object) -> tuple[str, str]:
        """The lines of services, and the machine's own file where the pod shares its network."""
        lines = "" if self._server else self._lines.of(pod["metadata"]["namespace"])
        return lines, _read(HOSTS) if pod["spec"].get("hostNetwork") else ""

    def resolv_conf(self, pod: Object) -> str:
        """The pod's /etc/resolv.conf."""
        nameserver = self._server.address[0] if self._server else ""
        return hosts.resolv_conf(pod, nameserver, _read(RESOLV_CONF), self._domain)

    def expose(
        self, pod: Object, address: str, node_ip: str, ports: tuple[tuple[str, str, int, int], ...]
    ) -> None:
        """Have ports of the machine lead to the pod, and no others any more; nothing if the runtime does that.

        Args:
            ports: (hostIP, protocol, hostPort, port) of each.

        Raises:
            PortTaken: one can't be had.
        """
        if self._ports is None:
            return
        meta = pod["metadata"]
        name = f"{meta.get('namespace', '')}/{meta['name']}"
        self._ports.serve(meta["uid"], rules_for(name, address, node_ip, ports))

    def problems(self) -> dict[str, str]:
        """See `DataPlane.problems`; names are told of under `DNS`, and other machines under what lies there."""
        told = {**self.plane.problems(), **(self._routes.problems() if self._routes else {})}
        if self._names_problem:
            told["DNS"] = self._names_problem
        return told

    def close(self) -> None:
        if self._server:
            self._server.close()
        if self._ports:
            self._ports.close()
        self.plane.close()


def _read(path: Path) -> str:
    """The file's contents; empty if there are none."""
    try:
        return path.read_text()
    except OSError:
        return ""
