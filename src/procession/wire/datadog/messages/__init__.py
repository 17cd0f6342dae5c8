"""Datadog's messages <-> values."""
