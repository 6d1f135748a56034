"""What is asked of the contracts beside their tests: warnings, slither, mutants, sizes, rules.

`python -m analysis` is what `tox -e contracts` runs; each module is a command of its own too.
"""
