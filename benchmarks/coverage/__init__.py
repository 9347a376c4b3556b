"""Simulated coverage of the intervals, size of the tests, errors of the gate, and those of other methods."""
