"""The devnet under many users: Locust in a process of its own (`python -m loadtests PLAN`).

It is told what to do by a `Plan` and answers with a `stats.json`; the devnet judges. It stands on
`devnet.chain` and `devnet.protocol` alone, as any outside client could.
"""
