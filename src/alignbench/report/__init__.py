"""Rows to what people read: leaderboard, gate, card and figures."""
