"""How often: rates with intervals, and their correction by labels or by the judge's exam."""
