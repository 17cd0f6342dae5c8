"""Containers in Procession's API: at an instant, and over time."""
