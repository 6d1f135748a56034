"""What a Kubernetes cluster does, as rows that are played on it: the conformance table.

The rows are one suite for every cluster with an API; `devnet conformance` and the tests play them.
"""
