"""Models side by side: what is comparable on one board, as table, CSV, page and figure."""
