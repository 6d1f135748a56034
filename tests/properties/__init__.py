"""Contracts and model under the same random transactions, compared after every one of them.

`machine` is a Hypothesis state machine: it draws `moves`, which are `action`s in the words of a
scenario; `chain` is the contracts in an in-process EVM; `twins` sends an action to both sides and
checks outcome, events, ledger and all invariants. What fails is reduced by
`reducing` and written by `scenario` as a file that `devnet run` replays.

    python -m devnet.base.toolchain pytest tests/properties -p ape_test     20 000 steps, fixed
    … pytest tests/properties -p ape_test --deep                            1 000 000, many seeds

The end of the run says how many steps there were and what became of them.
"""
