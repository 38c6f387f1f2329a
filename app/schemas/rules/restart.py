"""Rules for how containers end and start again: their own restart policies, and their stop signals
(k8s.io/kubernetes/pkg/apis/core/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.faults import Faults

POLICIES = ("Always", "Never", "OnFailure")
ACTIONS = ("Restart",)
OPERATORS = ("In", "NotIn")
MOST_RULES, MOST_CODES = 20, 255
# What a program on Linux can be told, by the names that Kubernetes takes.
_NAMES = """
ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP
TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX
"""
_REAL_TIME = (*(f"RTMIN+{n}" for n in range(1, 16)), *(f"RTMAX-{n}" for n in range(1, 15)))
SIGNALS = frozenset(f"SIG{name}" for name in (*_NAMES.split(), *_REAL_TIME))


def restart_rules(container: Object, path: str, faults: Faults) -> None:
    """A container's own restartPolicy, and the rules that come before it."""
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or ()
    if policy is None:
        if rules:
            faults.required(f"{path}.restartPolicy", "must specify restartPolicy when restart rules are used")
        return
    if policy not in POLICIES:
        faults.not_supported(f"{path}.restartPolicy", policy, POLICIES)
    if len(rules) > MOST_RULES:
        faults.too_many(f"{path}.restartPolicyRules", len(rules), MOST_RULES)
    for i, rule in enumerate(rules):
        where = f"{path}.restartPolicyRules[{i}]"
        if rule.get("action") not in ACTIONS:
            faults.not_supported(f"{where}.action", rule.get("action") or "", ACTIONS)
        codes = rule.get("exitCodes")
        if codes is None:
            faults.required(f"{where}.exitCodes", "must be specified")
            continue
        if codes.get("operator") not in OPERATORS:
            faults.not_supported(f"{where}.exitCodes.operator", codes.get("operator") or "", OPERATORS)
        values = codes.get("values") or ()
        if len(values) > MOST_CODES:
            faults.too_many(f"{where}.exitCodes.values", len(values), MOST_CODES)


def stop_signal(container: Object, spec: Object, path: str, faults: Faults) -> None:
    """`lifecycle.stopSignal`: one that the pod's operating system has, which the pod must name."""
    signal = (container.get("lifecycle") or {}).get("stopSignal")
    if signal is None:
        return
    where = f"{path}.lifecycle.stopSignal"
    system = (spec.get("os") or {}).get("name")
    if not system:
        faults.forbidden(where, "may not be set for containers with empty `spec.os.name`")
        return
    known = SIGNALS if system == "linux" else ("SIGKILL", "SIGTERM")
    if signal not in known:
        faults.not_supported(where, signal, sorted(known))
