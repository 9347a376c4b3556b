"""Figures, and the text in them."""
