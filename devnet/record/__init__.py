"""What a run leaves: its folder, history and bundle, and the replay that proves it."""
