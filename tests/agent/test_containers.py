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
