"""How it is judged: rubrics, judge prompts and labelled answers, data only."""
