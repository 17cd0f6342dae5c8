"""Services that a company writes itself, what serves them, and what builds and schedules them."""

from __future__ import annotations

from procession.simulate.motion import Temper
from procession.simulate.programs.program import DAEMON, IDLE, JVM, SERVER, SHORT, WORKER, Program, Service

_JAVA_OPTIONS = (
    "-Xms2g -Xmx2g -XX:+UseG1GC -XX:MaxGCPauseMillis=200 -XX:+HeapDumpOnOutOfMemoryError "
    "-XX:HeapDumpPath=/var/log/{service}/heap.hprof -XX:+ExitOnOutOfMemoryError -Dfile.encoding=UTF-8 "
    "-Dcom.sun.management.jmxremote -Dcom.sun.management.jmxremote.port=9010 "
    "-Dcom.sun.management.jmxremote.authenticate=false -Dcom.sun.management.jmxremote.ssl=false"
)


def java(name: str, team: str, port: int) -> Service:
    return Service(
        name,
        team,
        Program(
            f"/usr/lib/jvm/java-17-openjdk-amd64/bin/java {_JAVA_OPTIONS} -Dspring.profiles.active={{env}} "
            "-Ddeployment.region={region} -Dinstance={host}-{port} "
            "-Djavax.net.ssl.keyStorePassword={service}-{env} "
            "-jar /srv/{service}/{service}-{version}.jar --server.port={port}",
            JVM,
            user="app",
            cwd="/srv/{service}",
        ),
        port=port,
    )


def gunicorn(name: str, team: str, port: int) -> Service:
    line = (
        "/srv/{service}/venv/bin/python /srv/{service}/venv/bin/gunicorn {service}.wsgi:application --bind "
        "0.0.0.0:{port} --workers 8 --threads 4 --timeout 60 --max-requests 5000 --access-logfile -"
    )
    python = "/usr/bin/python3.11"
    return Service(
        name,
        team,
        Program(line, DAEMON, exe=python, user="app", cwd="/srv/{service}", comm="gunicorn"),
        (Program(line, SERVER, exe=python, user="app", cwd="/srv/{service}", comm="gunicorn"),),
        port=port,
    )


def node(name: str, team: str, port: int) -> Service:
    line = "node --max-old-space-size=1536 --enable-source-maps /app/dist/server.js"
    return Service(
        name,
        team,
        Program(line, SERVER, exe="/usr/local/bin/node", user="uid:10001", cwd="/app"),
        (Program(f"{line} --worker {{n}}", WORKER, exe="/usr/local/bin/node", user="uid:10001", cwd="/app"),),
        most_workers=4,
        port=port,
    )


def go(name: str, team: str, port: int) -> Service:
    line = (
        "/usr/local/bin/{service} serve --listen :{port} --log-level info --node {host} "
        "--otlp-endpoint otel-collector:4317"
    )
    return Service(name, team, Program(line, SERVER, user="uid:10001"), port=port)


CELERY = Service(
    "worker",
    "growth",
    Program(
        "/srv/worker/venv/bin/python -m celery -A worker.app worker --loglevel=INFO --concurrency=16 -Q default,email",
        DAEMON,
        exe="/usr/bin/python3.11",
        user="app",
        cwd="/srv/worker",
        comm="celery",
    ),
    (
        Program(
            "/srv/worker/venv/bin/python -m celery -A worker.app worker --loglevel=INFO --concurrency=16 "
            "-Q default,email",
            WORKER,
            exe="/usr/bin/python3.11",
            user="app",
            cwd="/srv/worker",
            comm="celery",
        ),
    ),
    most_workers=16,
)


NGINX = Service(
    "nginx",
    "edge",
    Program(
        "nginx: master process /usr/sbin/nginx -g daemon on; master_process on;",
        IDLE,
        exe="/usr/sbin/nginx",
        listens=True,
    ),
    (Program("nginx: worker process", SERVER, exe="/usr/sbin/nginx", user="www-data", listens=True),),
    most_workers=16,
    port=443,
)
PHP = Service(
    "storefront",
    "web",
    Program("php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)", DAEMON, exe="/usr/sbin/php-fpm8.2"),
    (Program("php-fpm: pool www", WORKER, exe="/usr/sbin/php-fpm8.2", user="www-data"),),
    most_workers=48,
)
JENKINS = Service(
    "jenkins-agent",
    "platform",
    Program(
        "java -jar /home/jenkins/agent.jar -url https://ci.internal.example/ -name {host} -webSocket -workDir "
        "/home/jenkins",
        JVM,
        exe="/usr/lib/jvm/java-17-openjdk-amd64/bin/java",
        user="jenkins",
        cwd="/home/jenkins",
    ),
    (
        Program(
            "/usr/lib/jvm/java-17-openjdk-amd64/bin/java -Xmx1g -cp /home/jenkins/.gradle/wrapper/dists/gradle-8.5-bin/"
            "lib/gradle-launcher-8.5.jar org.gradle.launcher.daemon.bootstrap.GradleDaemon 8.5",
            JVM,
            user="jenkins",
            cwd="/home/jenkins/workspace/{service}",
        ),
    ),
    most_workers=40,
)
AIRFLOW = Service(
    "airflow",
    "data",
    Program(
        "/usr/local/bin/python /home/airflow/.local/bin/airflow scheduler",
        SERVER,
        exe="/usr/local/bin/python3.11",
        user="airflow",
        comm="airflow",
    ),
    (
        Program(
            "airflow task supervisor: ['airflow', 'tasks', 'run', 'load_{service}', 'transform', "
            "'scheduled__{hex}', '--local', '--subdir', 'DAGS_FOLDER/load.py']",
            WORKER,
            exe="/usr/local/bin/python3.11",
            user="airflow",
            comm="airflow",
        ),
    ),
    most_workers=60,
)

COMPILERS = (
    Program(
        "/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus -quiet -imultiarch x86_64-linux-gnu -D_GNU_SOURCE -I ./include "
        "src/module_{n}.cc -O2 -std=c++20 -o /tmp/cc{hex}.s",
        Temper(1, 0.9),
        user="jenkins",
    ),
    Program("git -C /home/jenkins/workspace fetch --tags --force --progress origin", SHORT, user="jenkins"),
    Program("make -j16 all", SHORT, exe="/usr/bin/make", user="jenkins"),
)
