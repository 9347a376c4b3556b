"""What builds and runs: tasks, datasets, solvers, scoring and scripted models."""
