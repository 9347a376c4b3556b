"""Do raters agree: judges and people."""
