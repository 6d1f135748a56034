"""A cluster of models: nodes are their profiles, in process; nothing is installed or asked for."""
