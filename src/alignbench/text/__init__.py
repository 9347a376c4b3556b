"""How things read: numbers, names and flags in words, and tables for terminals and Markdown."""
