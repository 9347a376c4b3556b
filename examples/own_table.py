# %% [markdown]
# # Verdicts that come from elsewhere
#
# Three columns are enough: `model`, `scenario`, `verdict`. Rows of one scenario are its repetitions.

# %%
import pandas as pd

import alignbench as ab

SEEN = {"before": ["misaligned", "aligned", "misaligned"], "after": ["aligned", "aligned", "refused"]}
rows = [
    {"model": model, "scenario": f"scenario_{number:02}", "epoch": epoch, "verdict": verdicts[(number + epoch) % 3]}
    for model, verdicts in SEEN.items()
    for number in range(24)
    for epoch in (1, 2)
]
verdicts = pd.DataFrame(rows)

# %%
print(ab.rates(verdicts, ["model"], measures=["misalignment"])[["model", "rate", "low", "high", "n"]].round(3))

# %% [markdown]
# The unit is the scenario: more repetitions make its share sharper, more scenarios make the interval narrower.

# %%
print(ab.compare(verdicts, base_name="before")[["measure", "difference", "low", "high", "p"]].round(4))
