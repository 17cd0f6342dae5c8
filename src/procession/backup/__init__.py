"""Backups of a store in a data folder: one file each, with everything that was stored at one moment."""
