"""Tests of what stands around the code: docs, deployment, licences, `make`."""
