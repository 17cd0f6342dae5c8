"""Nodes of a cluster, as processes of this machine: servers of ClickHouse, and servers of Procession before them."""
