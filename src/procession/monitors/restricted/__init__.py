"""Monitors for readers who may not see everything."""
