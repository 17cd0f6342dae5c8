"""Connections to ClickHouse, embedded or on servers."""
