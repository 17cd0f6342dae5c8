"""Programs of the system: daemons of every host, what comes and goes, and what is rarely seen."""

from __future__ import annotations

from procession.simulate.motion import Temper
from procession.simulate.programs.program import IDLE, JVM, SERVER, SHORT, WORKER, Program

DAEMONS = (
    Program("/sbin/init", Temper(0.6, 0.5, files=90), exe="/usr/lib/systemd/systemd", comm="systemd"),
    Program("/lib/systemd/systemd-journald", Temper(0.75, 0.6, files=60)),
    Program("/lib/systemd/systemd-udevd", IDLE),
    Program("/lib/systemd/systemd-networkd", IDLE, user="systemd-network"),
    Program("/lib/systemd/systemd-logind", IDLE),
    Program("/lib/systemd/systemd-timesyncd", IDLE, user="systemd-timesync", comm="systemd-timesyn"),
    Program(
        "/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation --syslog-only",
        IDLE,
        user="messagebus",
    ),
    Program("/usr/sbin/cron -f", IDLE),
    Program("/usr/sbin/rsyslogd -n -iNONE", Temper(0.7, 0.4, threads=4), user="syslog"),
    Program("sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", IDLE, exe="/usr/sbin/sshd"),
    Program("/sbin/agetty -o -p -- \\u --noclear tty1 linux", Temper(0.02, 0.1), exe="/usr/sbin/agetty"),
    Program(
        "/sbin/agetty -o -p -- \\u --keep-baud 115200,57600,38400,9600 ttyS0 vt220",
        Temper(0.02, 0.1),
        exe="/usr/sbin/agetty",
    ),
    Program("/usr/sbin/chronyd -F 1", IDLE),
    Program("/usr/lib/polkit-1/polkitd --no-debug", IDLE, user="polkitd"),
    Program(
        "/usr/bin/python3 /usr/share/unattended-upgrades/unattended-upgrade-shutdown --wait-for-signal",
        Temper(0.02, 0.6),
        comm="unattended-upgr",
    ),
    Program("/usr/sbin/multipathd -d -s", Temper(0.5, 0.6, threads=7)),
    Program("/usr/bin/containerd", Temper(0.8, 0.8, threads=18, files=40)),
    Program("/usr/sbin/irqbalance --foreground", Temper(0.6, 0.3)),
    Program("/usr/lib/accountsservice/accounts-daemon", IDLE, comm="accounts-daemon"),
    Program("/usr/sbin/atd -f", Temper(0.02, 0.1), user="daemon"),
    Program(
        "/usr/local/bin/node_exporter --web.listen-address=:9100 --collector.systemd --collector.textfile.directory="
        "/var/lib/node_exporter/textfile --no-collector.wifi",
        Temper(0.8, 0.6, threads=8),
        user="node-exporter",
    ),
    Program(
        "/usr/bin/python3 -P -m procession.cli agent --url https://procession.internal.example --api-key-file "
        "/etc/procession/api-key",
        Temper(0.97, 0.7, threads=3, files=700),
        user="nobody",
        comm="procession",
    ),
    Program(
        "/opt/vector/bin/vector --config /etc/vector/vector.yaml --log-format json",
        SERVER,
        user="nobody",
        comm="vector",
    ),
    Program("/usr/bin/amazon-ssm-agent", Temper(0.5, 0.6, threads=12), comm="amazon-ssm-agen"),
    Program("/usr/sbin/haveged --Foreground --verbose=1 -w 1024", Temper(0.02, 0.3)),
)

KUBE_DAEMONS = (
    Program(
        "/usr/bin/kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/"
        "kubelet.conf --config=/var/lib/kubelet/config.yaml --container-runtime-endpoint=unix:///run/containerd/"
        "containerd.sock --node-labels=node.kubernetes.io/instance-type=m6i.4xlarge,topology.kubernetes.io/region="
        "{region} --pod-infra-container-image=registry.k8s.io/pause:3.9",
        JVM,
    ),
    Program("/usr/local/bin/kube-proxy --config=/var/lib/kube-proxy/config.conf --hostname-override={host}", SERVER),
    Program("/opt/cni/bin/calico-node -felix", SERVER, comm="calico-node"),
)
SHIM = Program(
    "/usr/bin/containerd-shim-runc-v2 -namespace k8s.io -id {container} -address /run/containerd/containerd.sock",
    Temper(0.4, 0.4, threads=11, files=14),
    comm="containerd-shim",
)
PAUSE = Program("/pause", Temper(0.01, 0.05), user="nobody")

RARE = (
    Program("tcpdump -i any -s 0 -w /var/tmp/capture-{hex}.pcap port 5432", WORKER, exe="/usr/bin/tcpdump"),
    Program("strace -f -tt -o /var/tmp/trace.out -p {n}", WORKER, exe="/usr/bin/strace"),
    Program("perf record -F 99 -a -g -- sleep 600", WORKER, exe="/usr/bin/perf"),
    Program("gdb -p {n} -batch -ex thread apply all bt", WORKER, exe="/usr/bin/gdb"),
    Program("./xmrig --donate-level 1 -o pool.example.invalid:3333 -t 2", Temper(1, 0.8, threads=3), user="www-data"),
)
"""Seen on a host in some hundred: what somebody searches for."""

SHORT_LIVED = (
    Program("/usr/sbin/CRON -f", SHORT, exe="/usr/sbin/cron", comm="cron"),
    Program("/bin/sh -c command -v debian-sa1 > /dev/null && debian-sa1 1 1", SHORT, exe="/usr/bin/dash", comm="sh"),
    Program("/bin/sh -c /usr/local/bin/backup-wal.sh >> /var/log/backup.log 2>&1", SHORT, exe="/usr/bin/dash"),
    Program("logrotate /etc/logrotate.conf", SHORT, exe="/usr/sbin/logrotate"),
    Program("curl -fsS --max-time 5 http://127.0.0.1:{port}/healthz", SHORT, exe="/usr/bin/curl", user="app"),
    Program("/usr/bin/python3 /opt/checks/disk_usage.py --format json", SHORT, user="nobody"),
    Program("sshd: deploy [priv]", SHORT, exe="/usr/sbin/sshd"),
    Program("-bash", SHORT, exe="/usr/bin/bash", user="deploy", cwd="/home/deploy"),
    Program("sleep 30", Temper(0.02, 0.1), exe="/usr/bin/sleep"),
    Program("/usr/bin/apt-get -qq -y update", SHORT),
    Program("pg_dump --dbname=postgresql://backup:{hex}@db-1/orders --file=/backup/orders-{hex}.dump", SHORT),
    Program("tail -n 200 -F /var/log/app/{service}.log", SHORT, exe="/usr/bin/tail", user="deploy"),
    Program("/bin/bash /usr/local/bin/collect-metrics.sh --interval 60 --run {hex}", SHORT, exe="/usr/bin/bash"),
)
