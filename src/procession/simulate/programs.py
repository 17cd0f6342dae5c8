"""What runs on the hosts of the fleet: programs as people run them, with the same command lines on many hosts.

Braces in a text are filled when a process begins: `{host}`, `{env}`, `{region}`, `{service}`, `{version}`, `{port}`,
`{n}` (its number among its siblings), `{hex}` (its own), `{pod}`, `{container}`, `{ip}`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from procession.simulate.motion import Temper

_IDLE = Temper(0.15, 0.25)
_DAEMON = Temper(0.4, 0.45, threads=2, files=18)
_WORKER = Temper(0.45, 0.6, threads=2, files=24)
_SERVER = Temper(0.76, 0.85, threads=24, files=140)
_JVM = Temper(0.93, 0.97, threads=90, files=420)
_SHORT = Temper(0.95, 0.4, files=6)


@dataclass(frozen=True, slots=True)
class Program:
    cmdline: str
    temper: Temper = _DAEMON
    exe: str = ""
    """Empty: the first word of the command line."""
    user: str = "root"
    cwd: str = "/"
    comm: str = ""
    """Empty: the last part of `exe`."""
    doing: tuple[str, ...] = ()
    """What its title ends in by turns, for one that says there what it does; the command line ends in the first."""


@dataclass(frozen=True, slots=True)
class Service:
    """What is deployed as one: a process, and workers below it."""

    name: str
    team: str
    program: Program
    workers: tuple[Program, ...] = ()
    most_workers: int = 12
    port: int = 8080


@dataclass(frozen=True, slots=True)
class Role:
    """What a host is there for."""

    name: str
    weight: int
    services: tuple[Service, ...]
    in_containers: bool = False
    short_lived: tuple[Program, ...] = field(default=())


UIDS = {
    "root": 0,
    "daemon": 1,
    "www-data": 33,
    "messagebus": 101,
    "systemd-timesync": 997,
    "systemd-network": 998,
    "syslog": 104,
    "postgres": 113,
    "redis": 114,
    "kafka": 115,
    "elasticsearch": 116,
    "rabbitmq": 117,
    "memcache": 118,
    "node-exporter": 119,
    "dd-agent": 120,
    "polkitd": 996,
    "app": 1000,
    "deploy": 1001,
    "jenkins": 1002,
    "airflow": 50000,
    "nobody": 65534,
    "uid:10001": 10001,
}

DAEMONS = (
    Program("/sbin/init", Temper(0.6, 0.5, files=90), exe="/usr/lib/systemd/systemd", comm="systemd"),
    Program("/lib/systemd/systemd-journald", Temper(0.75, 0.6, files=60)),
    Program("/lib/systemd/systemd-udevd", _IDLE),
    Program("/lib/systemd/systemd-networkd", _IDLE, user="systemd-network"),
    Program("/lib/systemd/systemd-logind", _IDLE),
    Program("/lib/systemd/systemd-timesyncd", _IDLE, user="systemd-timesync", comm="systemd-timesyn"),
    Program(
        "/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation --syslog-only",
        _IDLE,
        user="messagebus",
    ),
    Program("/usr/sbin/cron -f", _IDLE),
    Program("/usr/sbin/rsyslogd -n -iNONE", Temper(0.7, 0.4, threads=4), user="syslog"),
    Program("sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups", _IDLE, exe="/usr/sbin/sshd"),
    Program("/sbin/agetty -o -p -- \\u --noclear tty1 linux", Temper(0.02, 0.1), exe="/usr/sbin/agetty"),
    Program(
        "/sbin/agetty -o -p -- \\u --keep-baud 115200,57600,38400,9600 ttyS0 vt220",
        Temper(0.02, 0.1),
        exe="/usr/sbin/agetty",
    ),
    Program("/usr/sbin/chronyd -F 1", _IDLE),
    Program("/usr/lib/polkit-1/polkitd --no-debug", _IDLE, user="polkitd"),
    Program(
        "/usr/bin/python3 /usr/share/unattended-upgrades/unattended-upgrade-shutdown --wait-for-signal",
        Temper(0.02, 0.6),
        comm="unattended-upgr",
    ),
    Program("/usr/sbin/multipathd -d -s", Temper(0.5, 0.6, threads=7)),
    Program("/usr/bin/containerd", Temper(0.8, 0.8, threads=18, files=40)),
    Program("/usr/sbin/irqbalance --foreground", Temper(0.6, 0.3)),
    Program("/usr/lib/accountsservice/accounts-daemon", _IDLE, comm="accounts-daemon"),
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
        _SERVER,
        user="nobody",
        comm="vector",
    ),
    Program("/usr/bin/amazon-ssm-agent", Temper(0.5, 0.6, threads=12), comm="amazon-ssm-agen"),
    Program("/usr/sbin/haveged --Foreground --verbose=1 -w 1024", Temper(0.02, 0.3)),
)

RARE = (
    Program("tcpdump -i any -s 0 -w /var/tmp/capture-{hex}.pcap port 5432", _WORKER, exe="/usr/bin/tcpdump"),
    Program("strace -f -tt -o /var/tmp/trace.out -p {n}", _WORKER, exe="/usr/bin/strace"),
    Program("perf record -F 99 -a -g -- sleep 600", _WORKER, exe="/usr/bin/perf"),
    Program("gdb -p {n} -batch -ex thread apply all bt", _WORKER, exe="/usr/bin/gdb"),
    Program("./xmrig --donate-level 1 -o pool.example.invalid:3333 -t 2", Temper(1, 0.8, threads=3), user="www-data"),
)
"""Seen on a host in some hundred: what somebody searches for."""

SHORT_LIVED = (
    Program("/usr/sbin/CRON -f", _SHORT, exe="/usr/sbin/cron", comm="cron"),
    Program("/bin/sh -c command -v debian-sa1 > /dev/null && debian-sa1 1 1", _SHORT, exe="/usr/bin/dash", comm="sh"),
    Program("/bin/sh -c /usr/local/bin/backup-wal.sh >> /var/log/backup.log 2>&1", _SHORT, exe="/usr/bin/dash"),
    Program("logrotate /etc/logrotate.conf", _SHORT, exe="/usr/sbin/logrotate"),
    Program("curl -fsS --max-time 5 http://127.0.0.1:{port}/healthz", _SHORT, exe="/usr/bin/curl", user="app"),
    Program("/usr/bin/python3 /opt/checks/disk_usage.py --format json", _SHORT, user="nobody"),
    Program("sshd: deploy [priv]", _SHORT, exe="/usr/sbin/sshd"),
    Program("-bash", _SHORT, exe="/usr/bin/bash", user="deploy", cwd="/home/deploy"),
    Program("sleep 30", Temper(0.02, 0.1), exe="/usr/bin/sleep"),
    Program("/usr/bin/apt-get -qq -y update", _SHORT),
    Program("tail -n 200 -F /var/log/app/{service}.log", _SHORT, exe="/usr/bin/tail", user="deploy"),
    Program("/bin/bash /usr/local/bin/collect-metrics.sh --interval 60 --run {hex}", _SHORT, exe="/usr/bin/bash"),
)

_JAVA_OPTIONS = (
    "-Xms2g -Xmx2g -XX:+UseG1GC -XX:MaxGCPauseMillis=200 -XX:+HeapDumpOnOutOfMemoryError "
    "-XX:HeapDumpPath=/var/log/{service}/heap.hprof -XX:+ExitOnOutOfMemoryError -Dfile.encoding=UTF-8 "
    "-Dcom.sun.management.jmxremote -Dcom.sun.management.jmxremote.port=9010 "
    "-Dcom.sun.management.jmxremote.authenticate=false -Dcom.sun.management.jmxremote.ssl=false"
)
_KAFKA_CLASSPATH = ":".join(
    f"/opt/kafka/libs/{jar}.jar"
    for jar in (
        "activation-1.1.1",
        "argparse4j-0.7.0",
        "commons-cli-1.4",
        "connect-api-3.7.0",
        "connect-runtime-3.7.0",
        "jackson-core-2.16.0",
        "jackson-databind-2.16.0",
        "jetty-server-9.4.53",
        "kafka-clients-3.7.0",
        "kafka-server-3.7.0",
        "log4j-1.2.17",
        "lz4-java-1.8.0",
        "netty-handler-4.1.100",
        "rocksdbjni-7.9.2",
        "scala-library-2.13.12",
        "snappy-java-1.1.10",
        "zookeeper-3.8.3",
        "zstd-jni-1.5.5",
    )
)


def _java(name: str, team: str, port: int) -> Service:
    return Service(
        name,
        team,
        Program(
            f"/usr/lib/jvm/java-17-openjdk-amd64/bin/java {_JAVA_OPTIONS} -Dspring.profiles.active={{env}} "
            "-Ddeployment.region={region} -jar /srv/{service}/{service}-{version}.jar --server.port={port}",
            _JVM,
            user="app",
            cwd="/srv/{service}",
        ),
        port=port,
    )


def _gunicorn(name: str, team: str, port: int) -> Service:
    line = (
        "/srv/{service}/venv/bin/python /srv/{service}/venv/bin/gunicorn {service}.wsgi:application --bind "
        "0.0.0.0:{port} --workers 8 --threads 4 --timeout 60 --max-requests 5000 --access-logfile -"
    )
    python = "/usr/bin/python3.11"
    return Service(
        name,
        team,
        Program(line, _DAEMON, exe=python, user="app", cwd="/srv/{service}", comm="gunicorn"),
        (Program(line, _SERVER, exe=python, user="app", cwd="/srv/{service}", comm="gunicorn"),),
        port=port,
    )


def _node(name: str, team: str, port: int) -> Service:
    line = "node --max-old-space-size=1536 --enable-source-maps /app/dist/server.js"
    return Service(
        name,
        team,
        Program(line, _SERVER, exe="/usr/local/bin/node", user="uid:10001", cwd="/app"),
        (Program(f"{line} --worker {{n}}", _WORKER, exe="/usr/local/bin/node", user="uid:10001", cwd="/app"),),
        most_workers=4,
        port=port,
    )


def _go(name: str, team: str, port: int) -> Service:
    line = "/usr/local/bin/{service} serve --listen :{port} --log-level info --otlp-endpoint otel-collector:4317"
    return Service(name, team, Program(line, _SERVER, user="uid:10001"), port=port)


_CELERY = Service(
    "worker",
    "growth",
    Program(
        "/srv/worker/venv/bin/python -m celery -A worker.app worker --loglevel=INFO --concurrency=16 -Q default,email",
        _DAEMON,
        exe="/usr/bin/python3.11",
        user="app",
        cwd="/srv/worker",
        comm="celery",
    ),
    (
        Program(
            "/srv/worker/venv/bin/python -m celery -A worker.app worker --loglevel=INFO --concurrency=16 "
            "-Q default,email",
            _WORKER,
            exe="/usr/bin/python3.11",
            user="app",
            cwd="/srv/worker",
            comm="celery",
        ),
    ),
    most_workers=16,
)

_NGINX = Service(
    "nginx",
    "edge",
    Program("nginx: master process /usr/sbin/nginx -g daemon on; master_process on;", _IDLE, exe="/usr/sbin/nginx"),
    (Program("nginx: worker process", _SERVER, exe="/usr/sbin/nginx", user="www-data"),),
    most_workers=16,
    port=443,
)
_PHP = Service(
    "storefront",
    "web",
    Program("php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)", _DAEMON, exe="/usr/sbin/php-fpm8.2"),
    (Program("php-fpm: pool www", _WORKER, exe="/usr/sbin/php-fpm8.2", user="www-data"),),
    most_workers=48,
)
_POSTGRES_EXE = "/usr/lib/postgresql/15/bin/postgres"


def _postgres(title: str, temper: Temper = _WORKER) -> Program:
    doing = ("idle", "SELECT", "idle in transaction") if "{ip}" in title else ()
    return Program(
        " ".join((f"postgres: 15/main: {title}", *doing[:1])),
        temper,
        exe=_POSTGRES_EXE,
        user="postgres",
        cwd="/var/lib/postgresql/15/main",
        doing=doing,
    )


_POSTGRES = Service(
    "postgres",
    "storage",
    Program(
        "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main -c "
        "config_file=/etc/postgresql/15/main/postgresql.conf",
        Temper(0.6, 0.8, files=30),
        user="postgres",
        cwd="/var/lib/postgresql/15/main",
    ),
    (
        _postgres("checkpointer", Temper(0.6, 0.9)),
        _postgres("background writer", Temper(0.8, 0.6)),
        _postgres("walwriter", Temper(0.8, 0.5)),
        _postgres("autovacuum launcher"),
        _postgres("logical replication launcher", _IDLE),
        *(_postgres(f"app {database} {{ip}}(4{{n}})") for database in ("orders", "orders", "billing", "catalog")),
    ),
    most_workers=400,
    port=5432,
)
_REDIS = Service(
    "redis",
    "storage",
    Program("/usr/bin/redis-server 0.0.0.0:{port}", _SERVER, user="redis", cwd="/var/lib/redis"),
    port=6379,
)
_MEMCACHED = Service(
    "memcached",
    "storage",
    Program("/usr/bin/memcached -m 4096 -p {port} -u memcache -l 0.0.0.0 -t 8 -c 10000", _SERVER, user="memcache"),
    port=11211,
)
_KAFKA = Service(
    "kafka",
    "streaming",
    Program(
        "/usr/lib/jvm/java-17-openjdk-amd64/bin/java -Xmx6G -Xms6G -server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 "
        "-XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent -Djava.awt.headless=true "
        "-Xlog:gc*:file=/var/log/kafka/kafkaServer-gc.log:time,tags:filecount=10,filesize=100M "
        "-Dkafka.logs.dir=/var/log/kafka -Dlog4j.configuration=file:/etc/kafka/log4j.properties "
        f"-cp {_KAFKA_CLASSPATH} kafka.Kafka /etc/kafka/server.properties",
        _JVM,
        user="kafka",
    ),
    port=9092,
)
_ELASTICSEARCH = Service(
    "elasticsearch",
    "search",
    Program(
        "/usr/share/elasticsearch/jdk/bin/java -Des.networkaddress.cache.ttl=60 -Djava.security.manager=allow "
        "-XX:+AlwaysPreTouch -Xss1m -Djava.awt.headless=true -Dfile.encoding=UTF-8 -Djna.nosys=true "
        "-Dio.netty.noUnsafe=true -Xms8g -Xmx8g -XX:+UseG1GC -Des.path.home=/usr/share/elasticsearch "
        "-Des.path.conf=/etc/elasticsearch -Des.distribution.type=deb --module-path /usr/share/elasticsearch/lib "
        "-m org.elasticsearch.server/org.elasticsearch.bootstrap.Elasticsearch",
        _JVM,
        user="elasticsearch",
    ),
    (
        Program(
            "/usr/share/elasticsearch/modules/x-pack-ml/platform/linux-x86_64/bin/controller",
            _IDLE,
            user="elasticsearch",
        ),
    ),
    most_workers=1,
    port=9200,
)
_RABBITMQ = Service(
    "rabbitmq",
    "streaming",
    Program(
        "/usr/lib/erlang/erts-13.1.5/bin/beam.smp -W w -MBas ageffcbf -MHas ageffcbf -MBlmbcs 512 -P 1048576 "
        "-t 5000000 -zdbbl 128000 -- -root /usr/lib/erlang -bindir /usr/lib/erlang/erts-13.1.5/bin -progname erl -- "
        "-home /var/lib/rabbitmq -- -noshell -noinput -s rabbit boot -boot start_sasl",
        _JVM,
        user="rabbitmq",
    ),
    (Program("erl_child_setup 65536", _IDLE, exe="/usr/lib/erlang/erts-13.1.5/bin/erl_child_setup", user="rabbitmq"),),
    most_workers=1,
    port=5672,
)
_JENKINS = Service(
    "jenkins-agent",
    "platform",
    Program(
        "java -jar /home/jenkins/agent.jar -url https://ci.internal.example/ -name {host} -webSocket -workDir "
        "/home/jenkins",
        _JVM,
        exe="/usr/lib/jvm/java-17-openjdk-amd64/bin/java",
        user="jenkins",
        cwd="/home/jenkins",
    ),
    (
        Program(
            "/usr/lib/jvm/java-17-openjdk-amd64/bin/java -Xmx1g -cp /home/jenkins/.gradle/wrapper/dists/gradle-8.5-bin/"
            "lib/gradle-launcher-8.5.jar org.gradle.launcher.daemon.bootstrap.GradleDaemon 8.5",
            _JVM,
            user="jenkins",
            cwd="/home/jenkins/workspace/{service}",
        ),
    ),
    most_workers=40,
)
_AIRFLOW = Service(
    "airflow",
    "data",
    Program(
        "/usr/local/bin/python /home/airflow/.local/bin/airflow scheduler",
        _SERVER,
        exe="/usr/local/bin/python3.11",
        user="airflow",
        comm="airflow",
    ),
    (
        Program(
            "airflow task supervisor: ['airflow', 'tasks', 'run', 'load_{service}', 'transform', "
            "'scheduled__{hex}', '--local', '--subdir', 'DAGS_FOLDER/load.py']",
            _WORKER,
            exe="/usr/local/bin/python3.11",
            user="airflow",
            comm="airflow",
        ),
    ),
    most_workers=60,
)

_IN_PODS = (
    _java("checkout", "payments", 8080),
    _java("billing", "payments", 8080),
    _java("inventory", "supply", 8080),
    _gunicorn("accounts", "identity", 8000),
    _gunicorn("recommendations", "growth", 8000),
    _node("frontend", "web", 3000),
    _node("notifications", "growth", 3000),
    _go("gateway", "edge", 8443),
    _go("pricing", "supply", 8080),
    _go("sessions", "identity", 8080),
    _CELERY,
)

KUBE_DAEMONS = (
    Program(
        "/usr/bin/kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/"
        "kubelet.conf --config=/var/lib/kubelet/config.yaml --container-runtime-endpoint=unix:///run/containerd/"
        "containerd.sock --node-labels=node.kubernetes.io/instance-type=m6i.4xlarge,topology.kubernetes.io/region="
        "{region} --pod-infra-container-image=registry.k8s.io/pause:3.9",
        _JVM,
    ),
    Program("/usr/local/bin/kube-proxy --config=/var/lib/kube-proxy/config.conf --hostname-override={host}", _SERVER),
    Program("/opt/cni/bin/calico-node -felix", _SERVER, comm="calico-node"),
)
SHIM = Program(
    "/usr/bin/containerd-shim-runc-v2 -namespace k8s.io -id {container} -address /run/containerd/containerd.sock",
    Temper(0.4, 0.4, threads=11, files=14),
    comm="containerd-shim",
)
PAUSE = Program("/pause", Temper(0.01, 0.05), user="nobody")

_COMPILERS = (
    Program(
        "/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus -quiet -imultiarch x86_64-linux-gnu -D_GNU_SOURCE -I ./include "
        "src/module_{n}.cc -O2 -std=c++20 -o /tmp/cc{hex}.s",
        Temper(1, 0.9),
        user="jenkins",
    ),
    Program("git -C /home/jenkins/workspace fetch --tags --force --progress origin", _SHORT, user="jenkins"),
    Program("make -j16 all", _SHORT, exe="/usr/bin/make", user="jenkins"),
)

ROLES = (
    Role("node", 40, _IN_PODS, in_containers=True),
    Role("web", 15, (_NGINX, _PHP)),
    Role("api", 15, (_gunicorn("accounts", "identity", 8000), _java("checkout", "payments", 8080), _CELERY)),
    Role("db", 8, (_POSTGRES,)),
    Role("cache", 6, (_REDIS, _MEMCACHED)),
    Role("queue", 5, (_KAFKA, _RABBITMQ)),
    Role("search", 4, (_ELASTICSEARCH,)),
    Role("batch", 4, (_AIRFLOW, _CELERY)),
    Role("ci", 3, (_JENKINS,), short_lived=_COMPILERS),
)
