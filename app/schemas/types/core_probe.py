"""Probes and lifecycle hooks, and the actions they take."""

from __future__ import annotations

from app.schemas.fields import Int32, Int64, IntOrString, ListOf, String, Struct
from app.schemas.formats import not_negative, port_number, port_or_name, positive
from app.schemas.types.core_base import Core


class ExecAction(Core):
    """Run a command in the container."""

    command = ListOf(String(), "Program and arguments; no shell is involved.", required=True)


class HTTPHeader(Core):
    """A header of a request."""

    name = String(required=True, keep_zero=True)
    value = String(required=True, keep_zero=True)


class HTTPGetAction(Core):
    """Send an HTTP GET."""

    path = String("Path of the request.", default="/")
    port = IntOrString("Number or name of the port.", required=True, check=port_or_name)
    host = String()
    scheme = String(go="v1.URIScheme", default="HTTP", choices=("HTTP", "HTTPS"))
    httpHeaders = ListOf(Struct(HTTPHeader))
    protocol = String(go="v1.HTTPProtocol", keep_zero=True)


class TCPSocketAction(Core):
    """Open a TCP connection."""

    port = IntOrString("Number or name of the port.", required=True, check=port_or_name)
    host = String()


class SleepAction(Core):
    """Wait."""

    seconds = Int64("How long.", required=True, keep_zero=True)


class GRPCAction(Core):
    """Ask the gRPC health service."""

    port = Int32(required=True, keep_zero=True, check=port_number)
    service = String(keep_zero=True, default="")
    mode = String(go="v1.GRPCProbeMode", keep_zero=True)


class LifecycleHandler(Core):
    """What a lifecycle hook does."""

    exec = Struct(ExecAction)
    httpGet = Struct(HTTPGetAction)
    tcpSocket = Struct(TCPSocketAction)
    sleep = Struct(SleepAction)


class Lifecycle(Core):
    """What is done after a container's start and before its stop."""

    postStart = Struct(LifecycleHandler)
    preStop = Struct(LifecycleHandler)
    stopSignal = String(go="v1.Signal", keep_zero=True)


class Probe(Core):
    """A repeated check of a container."""

    exec = Struct(ExecAction)
    httpGet = Struct(HTTPGetAction)
    tcpSocket = Struct(TCPSocketAction)
    grpc = Struct(GRPCAction)
    initialDelaySeconds = Int32("Time after the start before the first try.", check=not_negative)
    timeoutSeconds = Int32("Time after which a try has failed.", default=1, check=not_negative)
    periodSeconds = Int32("Time between tries.", default=10, check=not_negative)
    successThreshold = Int32("Successes in a row that count as succeeded.", default=1, check=not_negative)
    failureThreshold = Int32("Failures in a row that count as failed.", default=3, check=not_negative)
    terminationGracePeriodSeconds = Int64(keep_zero=True, check=positive)
