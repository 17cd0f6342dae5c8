"""ClickHouse: every process that ran."""
