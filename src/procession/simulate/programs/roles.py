"""What hosts are there for, and how many of them."""

from __future__ import annotations

from procession.simulate.programs.applications import (
    AIRFLOW,
    CELERY,
    COMPILERS,
    JENKINS,
    NGINX,
    PHP,
    go,
    gunicorn,
    java,
    node,
)
from procession.simulate.programs.program import Role
from procession.simulate.programs.stores import ELASTICSEARCH, KAFKA, MEMCACHED, POSTGRES, RABBITMQ, REDIS

_IN_PODS = (
    java("checkout", "payments", 8080),
    java("billing", "payments", 8080),
    java("inventory", "supply", 8080),
    gunicorn("accounts", "identity", 8000),
    gunicorn("recommendations", "growth", 8000),
    node("frontend", "web", 3000),
    node("notifications", "growth", 3000),
    go("gateway", "edge", 8443),
    go("pricing", "supply", 8080),
    go("sessions", "identity", 8080),
    CELERY,
)

ROLES = (
    Role("node", 40, _IN_PODS, in_containers=True),
    Role("web", 15, (NGINX, PHP)),
    Role("api", 15, (gunicorn("accounts", "identity", 8000), java("checkout", "payments", 8080), CELERY)),
    Role("db", 8, (POSTGRES,)),
    Role("cache", 6, (REDIS, MEMCACHED)),
    Role("queue", 5, (KAFKA, RABBITMQ)),
    Role("search", 4, (ELASTICSEARCH,)),
    Role("batch", 4, (AIRFLOW, CELERY)),
    Role("ci", 3, (JENKINS,), short_lived=COMPILERS),
)
