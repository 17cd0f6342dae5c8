from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.agent.read.cgroups import container_id

ID = "0123456789abcdef" * 4
OTHER = "f" * 64
UUID = "6f265890-5165-7fab-6b52-18d1"
TASK = "0123456789abcdef" * 2


@pytest.mark.parametrize(
    ("cgroup", "expected"),
    [
        ("", ""),
        ("0::/\n", ""),
        ("0::/init.scope\n", ""),
        ("0::/user.slice/user-1000.slice/session-2.scope\n", ""),
        ("1:name=systemd:/system.slice/ssh.service\n0::/system.slice/ssh.service\n", ""),
        (f"0::/system.slice/docker-{ID}.scope\n", ID),
        (f"0::/docker/{ID}\n", ID),
        (f"0::/../{ID}\n", ID),
        (f"9:name=systemd:/\n8:pids:/docker/{ID}\n4:memory:/docker/{ID}\n0::/\n", ID),
        (f"12:pids:/kubepods/burstable/pod{UUID}/{ID}\n", ID),
        (f"0::/kubepods.slice/kubepods-pod{UUID.replace('-', '_')}.slice/cri-containerd-{ID}.scope\n", ID),
        (f"0::/kubepods.slice/kubepods-pod{UUID.replace('-', '_')}.slice/crio-{ID}.scope\n", ID),
        (f"0::/system.slice/containerd.service/kubepods-besteffort-pod1.slice:cri-containerd:{ID}\n", ID),
        (f"0::/machine.slice/libpod-{ID}.scope/container\n", ID),
        (f"0::/machine.slice/libpod-{ID}.scope/container/init.scope\n", ID),
        (f"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope\n", ID),
        (f"0::/machine.slice/libpod-conmon-{ID}.scope\n", ""),
        (f"0::/system.slice/var-lib-docker-containers-{ID}-mounts-shm.mount\n", ""),
        (f"0::/docker/{OTHER}/docker/{ID}\n", ID),
        (f"0::/docker/{ID}/system.slice/ssh.service\n", ID),
        (f"4:memory:/ecs/{TASK}/{TASK}-1234567890\n", f"{TASK}-1234567890"),
        ("3:cpu:/garden/6f265890-5165-7fab-6b52-18d1-0a1b\n", "6f265890-5165-7fab-6b52-18d1-0a1b"),
        ("0::/system.slice/run-u12-6f265890.scope\n", ""),
        (f"0::/a{ID}\n", ""),
        (f"0::/{ID}0\n", ""),
        ("no colons at all", ""),
        ("0::/\xff\xfe:" + ID, ID),
    ],
)
def test_a_container_is_found_by_the_name_of_its_control_group(cgroup: str, expected: str) -> None:
    assert container_id(cgroup.encode("latin-1")) == expected


V1_DOCKER = f"""\
13:rdma:/
12:hugetlb:/docker/{ID}
11:cpu,cpuacct:/docker/{ID}
10:perf_event:/docker/{ID}
9:devices:/docker/{ID}
8:memory:/docker/{ID}
7:blkio:/docker/{ID}
6:freezer:/docker/{ID}
5:net_cls,net_prio:/docker/{ID}
4:cpuset:/docker/{ID}
3:pids:/docker/{ID}
2:misc:/
1:name=systemd:/docker/{ID}
0::/system.slice/containerd.service
"""
BURSTABLE = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podd2f6f2a1_0d5d_4c3f_9f9b_6d1f3b1d2c11.slice"
V1_KUBERNETES = f"""\
11:blkio:{BURSTABLE}/docker-{ID}.scope
10:cpuset:{BURSTABLE}/docker-{ID}.scope
1:name=systemd:{BURSTABLE}/docker-{ID}.scope
"""
V1_CONTAINERD_CGROUPFS = f"""\
12:cpuset:/kubepods/besteffort/podd2f6f2a1-0d5d-4c3f-9f9b-6d1f3b1d2c11/{ID}
1:name=systemd:/kubepods/besteffort/podd2f6f2a1-0d5d-4c3f-9f9b-6d1f3b1d2c11/{ID}
0::/
"""
V1_HOST = """\
12:pids:/user.slice/user-1000.slice/session-4.scope
11:memory:/user.slice/user-1000.slice/session-4.scope
3:cpuset:/
1:name=systemd:/user.slice/user-1000.slice/session-4.scope
0::/user.slice/user-1000.slice/session-4.scope
"""


@pytest.mark.parametrize(
    ("cgroup", "expected"),
    [
        (V1_DOCKER, ID),
        (V1_KUBERNETES, ID),
        (V1_CONTAINERD_CGROUPFS, ID),
        (V1_HOST, ""),
        # k3s and kind: control groups of the node are themselves those of a container
        (f"0::/docker/{OTHER}/kubelet.slice/kubelet-kubepods.slice/cri-containerd-{ID}.scope\n", ID),
        # OpenShift
        (f"0::/kubepods.slice/kubepods-pod1.slice/crio-{ID}.scope/container\n", ID),
        (f"0::/kubepods.slice/kubepods-pod1.slice/crio-conmon-{ID}.scope\n", ""),
        # nerdctl and ctr
        (f"0::/system.slice/nerdctl-{ID}.scope\n", ID),
        (f"0::/default/{ID}\n", ID),
        # Podman without root, and in a pod
        (f"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope/container\n", ID),
        (f"0::/machine.slice/machine-libpod_pod_{OTHER}.slice/libpod-{ID}.scope\n", ID),
        # what is no container of these runtimes
        ("0::/system.slice/docker.service\n", ""),
        ("0::/lxc.payload.web/system.slice/nginx.service\n", ""),
        ("0::/machine.slice/systemd-nspawn@web.service/payload\n", ""),
    ],
)
def test_whole_files_of_all_kinds_of_machines_are_understood(cgroup: str, expected: str) -> None:
    assert container_id(cgroup.encode()) == expected


def published_lines() -> list[tuple[str, str, str]]:
    lines = Path(__file__).with_name("cgroup_lines.txt").read_text().splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert all(source.startswith("https://") for _, _, _, source in rows)
    return [(what, line, "" if expected == "-" else expected) for what, line, expected, _ in rows]


@pytest.mark.parametrize(("what", "line", "expected"), published_lines())
def test_lines_that_others_have_published_are_understood(what: str, line: str, expected: str) -> None:
    assert container_id(f"{line}\n".encode()) == expected


POD = f"machine-libpod_pod_{OTHER}.slice"


@pytest.mark.parametrize(
    ("cgroup", "expected"),
    [
        # in a pod of Podman, beside its containers, with systemd
        (f"0::/machine.slice/{POD}/libpod-conmon-{ID}.scope\n", ""),
        (f"0::/machine.slice/{POD}\n", ""),
        (f"0::/machine.slice/{POD}/libpod-{ID}.scope/container\n", ID),
        (f"0::/user.slice/user-1000.slice/user@1000.service/user.slice/user-libpod_pod_{OTHER}.slice\n", ""),
        # and without
        (f"0::/libpod_parent/{OTHER}\n", ""),
        (f"0::/libpod_parent/{OTHER}/conmon\n", ""),
        (f"0::/libpod_parent/{OTHER}/libpod-{ID}\n", ID),
        (f"0::/libpod_parent/libpod-{ID}/ctr\n", ID),
        (f"0::/libpod_parent/libpod-{ID}/conmon\n", ""),
        (f"0::/libpod_parent/libpod-{ID}\n", ID),
        # CRI-O's monitor in the pod's group
        (f"0::/kubepods.slice/kubepods-pod1.slice/crio-conmon-{ID}.scope\n", ""),
        (f"0::/kubepods/besteffort/pod1/crio-conmon-{ID}\n", ""),
        (f"0::/kubepods/besteffort/pod1/crio-{ID}\n", ID),
        # units that bear the id of a container
        (f"0::/system.slice/{ID}.service\n", ""),
        (f"0::/user.slice/user-1000.slice/user@1000.service/app.slice/{ID}-1a2b3c4d.service\n", ""),
        (f"0::/system.slice/run-containerd-io.containerd.runtime.v2.task-k8s.io-{ID}-rootfs.mount\n", ""),
        (f"0::/system.slice/docker-{ID}.service\n", ""),
        # what runs beside a container is in the one around both
        (f"0::/docker/{OTHER}/libpod_parent/conmon\n", OTHER),
        (f"0::/docker/{OTHER}/machine.slice/libpod-conmon-{ID}.scope\n", OTHER),
        (f"0::/docker/{OTHER}/system.slice/{ID}.service\n", OTHER),
        (f"0::/docker/{OTHER}/conmon\n", OTHER),
        # nested, also in what has no id itself
        (f"0::/lxc.payload.web/system.slice/docker-{ID}.scope\n", ID),
        (f"0::/lxc/101/ns/docker/{ID}\n", ID),
        (f"0::/docker/{OTHER}/kubelet/kubepods/besteffort/pod1/{ID}\n", ID),
        (f"0::/system.slice/docker-{OTHER}.scope/docker/{ID}/init.scope\n", ID),
        # one hierarchy of version 1 goes deeper than another
        (f"2:cpu:/docker/{OTHER}\n1:name=systemd:/docker/{OTHER}/docker/{ID}\n", ID),
        # a zombie's group may have gone before it
        (f"0::/docker/{ID} (deleted)\n", ID),
        (f"0::/machine.slice/libpod-{ID}.scope/container (deleted)\n", ID),
        (f"0::/machine.slice/libpod-conmon-{ID}.scope (deleted)\n", ""),
        # too long, too short, in capitals, after something else
        (f"0::/docker/{ID}f\n", ""),
        (f"0::/docker/{ID[1:]}\n", ""),
        (f"0::/docker/{ID.upper()}\n", ""),
        (f"0::/docker/x_{ID}\n", ""),
    ],
)
def test_only_folders_of_containers_say_which_container_it_is(cgroup: str, expected: str) -> None:
    assert container_id(cgroup.encode()) == expected


@given(
    st.lists(st.sampled_from([ID, OTHER, "docker", "conmon", ":", "/", "-", ".scope", "libpod-", "\n", "0::/", "\0"]))
)
def test_whatever_a_file_says_the_answer_is_an_id_or_nothing(parts: list[str]) -> None:
    assert container_id("".join(parts).encode()) in ("", ID, OTHER)
