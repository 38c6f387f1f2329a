"""How probes are tried.

attempt   what is tried, and how it went
talk      conversations over sockets, written as if each were alone
loop      the thread that keeps the time of all probes and carries all their conversations
threads   threads for what can only be done by waiting: commands, names of hosts
http, tcp, grpc, command   the four kinds
prober    which of them a probe asks for
"""

from workers.agent.probing.attempt import Done, Outcome, Prober, Try, port_number
from workers.agent.probing.http import request
from workers.agent.probing.prober import AskingProber, MachineProber, prober_for

__all__ = [
    "AskingProber",
    "Done",
    "MachineProber",
    "Outcome",
    "Prober",
    "Try",
    "port_number",
    "prober_for",
    "request",
]
