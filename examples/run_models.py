# %% [markdown]
# # Run models from Python
#
# The tasks are Inspect's; here a scripted model answers and a scripted judge grades. Put `openai/MODEL` and
# `anthropic/JUDGE` in their places.

# %%
from inspect_ai import eval_set
from inspect_ai.model import get_model

import alignbench as ab

success, logs = eval_set(
    ["alignbench/pricing_fairness"],
    log_dir="logs",
    model=get_model("persona/base", seed=1),
    model_roles={"grader": get_model("persona/grader", seed=1)},
    display="none",
)
print(success, [log.status for log in logs])

# %%
table = ab.read_inputs(["logs"])
print(ab.rates(table)[["measure", "rate", "low", "high", "n"]].round(3))
