"""A provider without Docker: the control plane and the nodes as local processes."""
