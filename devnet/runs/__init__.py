"""A run from its files to its verdict: the world is raised, played, judged and recorded."""
