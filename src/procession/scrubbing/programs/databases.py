"""Clients of databases, caches and search engines."""

from __future__ import annotations

from procession.scrubbing.programs.client import Client

# Options without a value may stand before the p: -Bpsecret. A user with a p in it is something else: -uphil.
_MYSQL_FLAGS = "ABCEFGHLNQRVXbcfgilmnoqrstvxy"

DATABASES = (
    Client(
        names="""mysql mysqlbinlog mysqlcheck mysqldump mysqlimport mysqlpump mysqlshow mysqlslap mysql_upgrade
        mysql_embedded mysqltest mysql_secure_installation mysqlaccess mysqlhotcopy mysqlreport mysqltuner
        mysqlanalyze mysqlrepair mysqloptimize mysql_convert_table_format mysql_find_rows mysql_setpermission
        mysql_tzinfo_to_sql mysqldumpslow mysqlfrm mysqlsh
        mariadb mariadb-backup mariadb-binlog mariadb-check mariadb-dump mariadb-import mariadb-show mariadb-slap
        mariadb-upgrade mariadb-access mariadb-hotcopy mariadb-analyze mariadb-repair mariadb-optimize mariadb-test
        mariadb-embedded mariadb-report mariadb-setpermission mariabackup innobackupex xtrabackup
        xbcloud""",
        manual="mysql(1), mariadb(1), mariadb-dump(1), mysqlhotcopy(1)",
        takes=("-p[SECRET]", "--passwo SECRET", "--passw SECRET"),
        flags=_MYSQL_FLAGS,
    ),
    Client(
        names="mysqladmin mariadb-admin",
        manual="mysqladmin(1), mariadb-admin(1)",
        takes=("-p[SECRET]", "password SECRET", "old-password SECRET"),
        flags=_MYSQL_FLAGS,
    ),
    Client(names="mytop mariadb-top innotop", manual="mytop(1)", takes=("-p SECRET", "--pass SECRET")),
    Client(
        names="""pt-archiver pt-config-diff pt-deadlock-logger pt-duplicate-key-checker pt-find pt-fk-error-logger
        pt-heartbeat pt-index-usage pt-kill pt-mysql-summary pt-online-schema-change pt-query-digest pt-show-grants
        pt-slave-delay pt-slave-find pt-slave-restart pt-stalk pt-summary pt-table-checksum pt-table-sync
        pt-table-usage pt-upgrade pt-variable-advisor""",
        manual="percona-toolkit(1p)",
        takes=("-p SECRET", "*p=SECRET,*"),
    ),
    Client(names="mycli", manual="mycli(1)", takes=("-p SECRET", "--pass SECRET")),
    Client(names="mydumper myloader", manual="mydumper(1), myloader(1)", takes=("-p SECRET",)),
    Client(
        names="mongo mongosh mongodump mongoexport mongofiles mongoimport mongorestore mongostat mongotop bsondump",
        manual="mongo(1), mongodump(1)",
        takes=("-p SECRET", "--sslPEMKeyPassword SECRET"),
    ),
    Client(names="cqlsh dsbulk", manual="cqlsh(1)", takes=("-p SECRET",)),
    Client(names="nodetool sstableloader", manual="nodetool(1)", takes=("-pw SECRET",)),
    Client(
        names="redis-cli valkey-cli keydb-cli",
        manual="redis-cli(1)",
        takes=(
            "-a, SECRET",
            "--pass SECRET",
            "auth ... SECRET",
            "auth SECRET!",
            "config set requirepass SECRET",
            "config set masterauth SECRET",
            "migrate HOST PORT KEY DB TIMEOUT auth SECRET",
        ),
    ),
    Client(
        names="redis-benchmark valkey-benchmark memtier_benchmark", manual="redis-benchmark(1)", takes=("-a SECRET",)
    ),
    Client(names="iredis", manual="iredis(1)", takes=("-a SECRET",)),
    Client(
        names="sqlcmd osql isql-mssql bcp bsqldb bsqlodbc freebcp tsql fisql defncopy sqsh",
        manual="tsql(1), bsqldb(1), bsqlodbc(1), freebcp(1), fisql(1), defncopy(1), osql(1), sqsh(1)",
        takes=("-P SECRET",),
    ),
    Client(names="datacopy", manual="datacopy(1)", takes=("-S USER/SECRET/*", "-D USER/SECRET/*")),
    Client(names="isql iusql", manual="isql(1), iusql(1)", takes=("DSN USER SECRET", "-P SECRET")),
    Client(
        names="isql-fb gbak gfix gsec gstat gpre nbackup fbsvcmgr fbstat fbtracemgr isql-firebird",
        manual="isql-fb(1), gbak(1), gfix(1), gsec(1), nbackup(1)",
        takes=(
            "-password SECRET",
            "-pas SECRET",
            "-pass SECRET",
            "-passw SECRET",
            "-pa SECRET",
            "-pw SECRET",
            "-p, SECRET",
            "password SECRET",
        ),
    ),
    # scott/tiger@db; neither /nolog nor @/path/of/a/script
    Client(
        names="sqlplus sqlldr exp imp expdp impdp rman sqlcl",
        manual="Oracle: SQL*Plus User's Guide, Starting SQL*Plus",
        takes=("USER/SECRET@DB", "userid=USER/SECRET@DB", "catalog USER/SECRET@DB", "target USER/SECRET@DB"),
    ),
    Client(
        names="influx", manual="influx(8)", takes=("-t, SECRET", "-password SECRET", "-p, SECRET", "--token SECRET")
    ),
    Client(names="influxd", manual="influxd(8)", takes=("--token SECRET",)),
    Client(
        names="clickhouse clickhouse-client clickhouse-benchmark clickhouse-copier clickhouse-local",
        manual="ClickHouse: Command-line client",
        takes=("--password SECRET",),
    ),
    Client(
        names="sqlline beeline",
        manual="sqlline(1)",
        takes=("-p, SECRET",),
    ),
    Client(names="cypher-shell neo4j-shell", manual="Neo4j: Cypher Shell", takes=("-p SECRET",)),
    Client(names="arangosh arangodump arangorestore", manual="ArangoDB: arangosh", takes=("--server.password SECRET",)),
    Client(
        names="cbc cbbackup cbrestore couchbase-cli cbimport cbexport cbq cbbackupmgr",
        manual="Couchbase: couchbase-cli",
        takes=("-p SECRET", "-P SECRET", "--password SECRET"),
    ),
    Client(names="vsql", manual="Vertica: vsql", takes=("-w SECRET",)),
    Client(names="db2", manual="Db2: CONNECT", takes=("using SECRET",)),
    Client(names="hdbsql", manual="SAP HANA: hdbsql", takes=("-p SECRET",)),
    Client(names="bteq nzsql nzload", manual="Netezza: nzsql", takes=("-pw SECRET",)),
    Client(names="snowsql", manual="Snowflake: snowsql", takes=("-p SECRET",)),
    Client(names="cockroach", manual="CockroachDB: cockroach sql", takes=("--password SECRET",)),
    Client(names="trino presto", manual="Trino: command line", takes=("--access-token SECRET",)),
    Client(names="pgloader pgbench pg_dump psql pgcli", manual="pgloader(1), pgcli(1)", takes=("--password=SECRET",)),
    Client(names="elasticdump elasticsearch-users", manual="Elasticsearch: users", takes=("-p SECRET",)),
    Client(names="zkcli", manual="ZooKeeper: zkCli", takes=("addauth digest USER:SECRET",)),
    Client(
        names="etcdctl",
        manual="etcdctl(1)",
        takes=("--user USER:SECRET", "-u USER:SECRET", "--username USER:SECRET", "--new-user-password SECRET"),
    ),
    Client(names="maxctrl maxadmin", manual="MariaDB MaxScale: maxctrl", takes=("-p SECRET",)),
    Client(names="neo4j-admin", manual="Neo4j: neo4j-admin", takes=("set-initial-password SECRET",)),
    Client(names="tarantoolctl tt", manual="Tarantool: tt connect", takes=("-p SECRET", "connect USER:SECRET@HOST")),
    Client(
        names="solr", manual="Solr: control script", takes=("--credentials USER:SECRET", "-credentials USER:SECRET")
    ),
    Client(names="odoo odoo-bin openerp-server", manual="Odoo: command line", takes=("-w SECRET",)),
)
