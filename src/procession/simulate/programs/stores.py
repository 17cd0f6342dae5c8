"""Services that keep data or hand it on."""

from __future__ import annotations

from procession.simulate.motion import Temper
from procession.simulate.programs.program import IDLE, JVM, SERVER, WORKER, Program, Service

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


_POSTGRES_EXE = "/usr/lib/postgresql/15/bin/postgres"


def _postgres(title: str, temper: Temper = WORKER) -> Program:
    doing = ("idle", "SELECT", "idle in transaction") if "{ip}" in title else ()
    return Program(
        " ".join((f"postgres: 15/main: {title}", *doing[:1])),
        temper,
        exe=_POSTGRES_EXE,
        user="postgres",
        cwd="/var/lib/postgresql/15/main",
        doing=doing,
    )


POSTGRES = Service(
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
        _postgres("logical replication launcher", IDLE),
        *(_postgres(f"app {database} {{ip}}(4{{n}})") for database in ("orders", "orders", "billing", "catalog")),
    ),
    most_workers=400,
    port=5432,
)
REDIS = Service(
    "redis",
    "storage",
    Program("/usr/bin/redis-server 0.0.0.0:{port}", SERVER, user="redis", cwd="/var/lib/redis"),
    port=6379,
)
MEMCACHED = Service(
    "memcached",
    "storage",
    Program("/usr/bin/memcached -m 4096 -p {port} -u memcache -l 0.0.0.0 -t 8 -c 10000", SERVER, user="memcache"),
    port=11211,
)
KAFKA = Service(
    "kafka",
    "streaming",
    Program(
        "/usr/lib/jvm/java-17-openjdk-amd64/bin/java -Xmx6G -Xms6G -server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 "
        "-XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent -Djava.awt.headless=true "
        "-Xlog:gc*:file=/var/log/kafka/kafkaServer-gc.log:time,tags:filecount=10,filesize=100M "
        "-Dkafka.logs.dir=/var/log/kafka -Dlog4j.configuration=file:/etc/kafka/log4j.properties "
        f"-cp {_KAFKA_CLASSPATH} kafka.Kafka /etc/kafka/server.properties",
        JVM,
        user="kafka",
    ),
    port=9092,
)
ELASTICSEARCH = Service(
    "elasticsearch",
    "search",
    Program(
        "/usr/share/elasticsearch/jdk/bin/java -Des.networkaddress.cache.ttl=60 -Djava.security.manager=allow "
        "-XX:+AlwaysPreTouch -Xss1m -Djava.awt.headless=true -Dfile.encoding=UTF-8 -Djna.nosys=true "
        "-Dio.netty.noUnsafe=true -Xms8g -Xmx8g -XX:+UseG1GC -Des.path.home=/usr/share/elasticsearch "
        "-Des.path.conf=/etc/elasticsearch -Des.distribution.type=deb --module-path /usr/share/elasticsearch/lib "
        "-m org.elasticsearch.server/org.elasticsearch.bootstrap.Elasticsearch",
        JVM,
        user="elasticsearch",
    ),
    (
        Program(
            "/usr/share/elasticsearch/modules/x-pack-ml/platform/linux-x86_64/bin/controller",
            IDLE,
            user="elasticsearch",
        ),
    ),
    most_workers=1,
    port=9200,
)
RABBITMQ = Service(
    "rabbitmq",
    "streaming",
    Program(
        "/usr/lib/erlang/erts-13.1.5/bin/beam.smp -W w -MBas ageffcbf -MHas ageffcbf -MBlmbcs 512 -P 1048576 "
        "-t 5000000 -zdbbl 128000 -- -root /usr/lib/erlang -bindir /usr/lib/erlang/erts-13.1.5/bin -progname erl -- "
        "-home /var/lib/rabbitmq -- -noshell -noinput -s rabbit boot -boot start_sasl",
        JVM,
        user="rabbitmq",
    ),
    (Program("erl_child_setup 65536", IDLE, exe="/usr/lib/erlang/erts-13.1.5/bin/erl_child_setup", user="rabbitmq"),),
    most_workers=1,
    port=5672,
)
