"""A file for each command of `procession`."""
