"""Statistics: arrays in, frozen estimates out; no tables, no files, no global random state."""
