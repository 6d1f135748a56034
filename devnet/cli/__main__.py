"""`python -m devnet.cli`."""

from devnet.cli import main

main()
