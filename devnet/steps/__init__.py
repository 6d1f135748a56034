"""What each step of a scenario does, and what `expect` can look at."""
