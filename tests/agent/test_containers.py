from __future__ import annotations

import pytest

from procession.agent.containers import container_id

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
        # what is no container of these engines
        ("0::/system.slice/docker.service\n", ""),
        ("0::/lxc.payload.web/system.slice/nginx.service\n", ""),
        ("0::/machine.slice/systemd-nspawn@web.service/payload\n", ""),
    ],
)
def test_whole_files_of_all_kinds_of_machines_are_understood(cgroup: str, expected: str) -> None:
    assert container_id(cgroup.encode()) == expected
