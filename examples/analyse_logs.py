# %% [markdown]
# # From logs to numbers, in Python
#
# `alignbench demo` leaves logs of five scripted models in `demo/logs`. What the commands print is a data frame here.

# %%
import alignbench as ab

table = ab.read_inputs(["demo/logs"])
print(table[["model", "pack", "scenario", "verdict"]].head())

# %% [markdown]
# How often, over all packs: both errors beside both kinds of usefulness, with intervals.

# %%
rates = ab.rates(table)
overall = rates[rates["pack"] == "overall"].set_index(["model", "measure"])
print(overall[["rate", "low", "high", "n", "scenarios"]].round(3))

# %% [markdown]
# Who is better: simultaneous rank sets, and the leaderboard as files.

# %%
print(ab.ranks(table)[["model", "rate", "rank_low", "rank_high"]].round(3))

# %% [markdown]
# What a fine-tune changed, and one decision with its reasons.

# %%
base, tuned = ab.read_inputs(["demo/logs/base"]), ab.read_inputs(["demo/logs/tuned"])
changes = ab.compare(base, tuned)
print(changes.loc[changes["pack"] == "overall", ["measure", "difference", "low", "high", "p"]].round(3))

report = ab.gate(base, tuned, policy=ab.Policy(margin=0.10))
print(report.exit_code, report.headline)
for reason in report.reasons:
    print("-", reason)
