"""What is run: one Inspect task a file."""
