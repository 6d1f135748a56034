"""What is asked of the contracts beside their tests: warnings, slither, mutants, sizes, rules.

`python -m analysis` is what `tox -e contracts` runs; `findings`, `mutation`, `rules` and `storage`
are commands of their own, too.
"""
