"""What this project promises against what it builds on, as ratios taken side by side."""
