"""Measurements of alignbench itself: coverage of its intervals, speed of its chain, correction on human labels."""
