"""The cluster on a Kubernetes API: one implementation for every provider of it."""
