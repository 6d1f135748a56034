"""A Kubernetes-shaped cluster of gatekeepers and workers with hardware profiles; knows no chain."""
