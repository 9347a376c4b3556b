"""What alignbench costs: reading logs, memory, a sample, a table of rates."""
