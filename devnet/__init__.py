"""A local devnet and end-to-end testbed for the Kompute protocol.

The packages below are layers: each imports only those listed before it in `docs/explanation`.
"""

__version__ = "0.1.0"
