"""From a pod to what its containers share: namespaces, names, ports of the machine, kernel settings."""

from __future__ import annotations

from typing import Any

import pytest

from app.objects.change import Object
from app.objects.pod_hostname import TooLong
from workers.agent.configuring.sandbox import NoClass, handler_of, sandbox_spec
from workers.agent.configuring.sources import NotYetKnown
from workers.agent.configuring.sysctls import refusal
from workers.runtime.security import HostPort, Shared

DOMAIN = "cluster.local"


def pod(**spec: Any) -> Object:
    containers = [{"name": "main", "ports": spec.pop("ports", [])}]
    return {
        "metadata": {"name": "web-1", "namespace": "shop", "uid": "u"},
        "spec": {"containers": containers, **spec},
    }


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ({}, "web-1"),
        ({"hostname": "a", "subdomain": "b"}, "a"),
        ({"subdomain": "b", "setHostnameAsFQDN": True}, "web-1.b.shop.svc.cluster.local"),
        ({"setHostnameAsFQDN": True}, "web-1"),
        ({"hostnameOverride": "any.name.at.all", "hostname": "a", "subdomain": "b"}, "any.name.at.all"),
    ],
)
def test_a_pods_host_name(spec: dict[str, Any], name: str) -> None:
    assert sandbox_spec(pod(**spec), "10.0.0.1", DOMAIN).hostname == name


def test_a_long_name_of_a_pod_is_cut_to_a_label() -> None:
    asked = pod()
    asked["metadata"]["name"] = "a" * 62 + "." + "b" * 20
    assert sandbox_spec(asked, "10.0.0.1", DOMAIN).hostname == "a" * 62


def test_a_full_name_longer_than_the_kernel_keeps_is_refused() -> None:
    asked = pod(hostname="h" * 40, subdomain="s", setHostnameAsFQDN=True)
    with pytest.raises(TooLong, match=r"is too long \(64 is the max, 65 is the length\)"):
        sandbox_spec(asked, "10.0.0.1", DOMAIN)
    asked["spec"]["hostname"] = "h" * 39
    assert len(sandbox_spec(asked, "10.0.0.1", DOMAIN).hostname) == 64


def test_what_a_pod_shares_is_what_it_says() -> None:
    assert sandbox_spec(pod(), "10.0.0.1", DOMAIN).shared == Shared()
    asked = pod(hostPID=True, shareProcessNamespace=False, hostIPC=True)
    assert sandbox_spec(asked, "10.0.0.1", DOMAIN).shared == Shared(pid=True, ipc=True)


def test_ports_of_the_machine_lead_into_the_pod_unless_it_is_in_the_machines_network() -> None:
    ports = [
        {"containerPort": 80},
        {"containerPort": 53, "hostPort": 5353, "protocol": "UDP", "hostIP": "127.0.0.1"},
    ]
    assert sandbox_spec(pod(ports=ports), "10.0.0.1", DOMAIN).host_ports == (
        HostPort(5353, 53, "UDP", "127.0.0.1"),
    )
    assert sandbox_spec(pod(ports=ports, hostNetwork=True), "10.0.0.1", DOMAIN).host_ports == ()


def test_a_runtime_class_names_the_engines_runtime() -> None:
    key = "runtimeclasses.node.k8s.io gv"
    asked = pod(runtimeClassName="gv")
    assert handler_of(pod(), {}) == ""
    assert handler_of(asked, {key: {"handler": "runsc"}}) == "runsc"
    with pytest.raises(NotYetKnown):
        handler_of(asked, {})
    with pytest.raises(NoClass, match='"gv" not found'):
        handler_of(asked, {key: None})


@pytest.mark.parametrize(
    ("name", "allowed", "more", "message"),
    [
        ("kernel.shm_rmid_forced", "", {}, None),
        ("net/ipv4/tcp_syncookies", "", {}, None),
        ("net.core.somaxconn", "", {}, 'forbidden sysctl: "net.core.somaxconn" not allowlisted'),
        ("net.core.somaxconn", "kernel.msg*, net.core.*", {}, None),
        ("kernel.msgmax", "kernel.msg*", {}, None),
        # What is the machine's own is nobody's to give.
        ("vm.swappiness", "vm.swappiness", {}, 'forbidden sysctl: "vm.swappiness" not allowlisted'),
        ("net.ipv4.tcp_syncookies", "", {"hostNetwork": True}, "not allowed with host net enabled"),
        ("kernel.shm_rmid_forced", "", {"hostIPC": True}, "not allowed with host ipc enabled"),
        ("kernel.shm_rmid_forced", "", {"hostNetwork": True}, None),
        ("net/core/somaxconn", "net.core.*", {}, None),
    ],
)
def test_kernel_settings_are_refused_unless_they_are_safe_or_allowed(
    name: str, allowed: str, more: dict[str, Any], message: str | None
) -> None:
    asked = pod(securityContext={"sysctls": [{"name": name, "value": "1"}]}, **more)
    found = refusal(asked, allowed)
    if message is None:
        assert found is None
    else:
        assert found is not None
        assert found.reason == "SysctlForbidden"
        assert message in found.message


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("kernel.msgmax", "kernel.msgmax"),
        ("kernel/msgmax", "kernel.msgmax"),
        ("net/ipv4/conf/eth0.100/forwarding", "net.ipv4.conf.eth0/100.forwarding"),
        ("net.ipv4.conf.eth0/100.forwarding", "net.ipv4.conf.eth0/100.forwarding"),
    ],
)
def test_a_runtime_is_told_kernel_settings_with_dots(written: str, told: str) -> None:
    asked = pod(securityContext={"sysctls": [{"name": written, "value": "1"}]})
    assert sandbox_spec(asked, "10.0.0.1", DOMAIN).sysctls == ((told, "1"),)
