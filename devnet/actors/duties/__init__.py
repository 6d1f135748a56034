"""The parts of a gatekeeper's work: performance tests, orders and their usage, incidents."""
