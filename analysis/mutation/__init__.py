"""Errors sown into the contracts, one at a time, to see whether their tests notice.

`python -m analysis.mutation` tries a fixed sample, `--deep` all; `survivors.yaml` explains those
that no test can tell from the original.
"""
