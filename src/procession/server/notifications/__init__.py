"""Channels, webhooks and downtimes, as their owners keep them."""
