"""Is it worse: one decision with its reasons."""
