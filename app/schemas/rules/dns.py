"""Rules for names inside pods: dnsConfig and hostAliases (k8s.io/kubernetes/pkg/apis/core/validation)."""

from __future__ import annotations

from app.objects.change import Object
from app.schemas.faults import Faults
from app.schemas.formats import dns_subdomain, ip_address

# What the resolver of Linux can hold.
NAMESERVERS, SEARCHES, SEARCHES_LENGTH = 3, 32, 2048


def dns_config(config: Object, path: str, faults: Faults) -> None:
    servers, searches = config.get("nameservers") or [], config.get("searches") or []
    if len(servers) > NAMESERVERS:
        faults.invalid(f"{path}.nameservers", servers, f"must not have more than {NAMESERVERS} nameservers")
    for i, server in enumerate(servers):
        faults.all_invalid(f"{path}.nameservers[{i}]", server, ip_address(server))
    if len(searches) > SEARCHES:
        faults.invalid(f"{path}.searches", searches, f"must not have more than {SEARCHES} search paths")
    if len(" ".join(searches)) > SEARCHES_LENGTH:
        faults.invalid(
            f"{path}.searches",
            searches,
            f"must not have more than {SEARCHES_LENGTH} characters (including spaces) in the search list",
        )
    for i, search in enumerate(searches):
        if search != ".":
            # Underscores are allowed here, as in names of SRV records.
            plain = search.removesuffix(".")
            faults.all_invalid(f"{path}.searches[{i}]", plain, dns_subdomain(plain.replace("_", "a")))
    for i, option in enumerate(config.get("options") or ()):
        if not option.get("name"):
            faults.required(f"{path}.options[{i}]", "must not be empty")


def host_alias(alias: Object, path: str, faults: Faults) -> None:
    if not alias.get("ip"):
        faults.all_invalid(f"{path}.ip", "", ip_address(""))
    for i, name in enumerate(alias.get("hostnames") or ()):
        faults.all_invalid(f"{path}.hostnames[{i}]", name, dns_subdomain(name))
