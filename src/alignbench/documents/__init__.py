"""Files that people write or other programs made: YAML, JSON lines and CSV, every fault with file and line."""
