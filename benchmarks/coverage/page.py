"""The words around the tables."""

__all__ = ["PAGE"]

PAGE = """# Coverage of the intervals

Written by `python -m benchmarks.coverage` (`make coverage`); not edited by hand. How often does an
interval that claims 95 % hold the true value, when the outputs of one scenario are alike and events are
rare? Bold: what alignbench publishes.

{summary}

{facts}

**Core**: 10, 30 or 100 scenarios of 4 to 10 outputs; intra-scenario correlation (icc) .05, .2, .5; rates
.01, .05, .2, .5. **Stress**: 5, 15, 50 or 200 scenarios of 2, of 60, or very unequally of 2 to 60
outputs; icc 0, .1, .4, .8; rates .002, .01, .05, .2, .5. The scenarios' propensities are beta,
logit-normal, or two-point (most scenarios never show the event); the true value is the rate over the
population of scenarios. **Heavy**: 5 to 200 scenarios of 1, 4, 20, 1 to 50 or 1 to 200 outputs (Zipf's law), rates
.002 to .2, and propensities with heavy tails: hot (a scenario always misbehaves or never), Cauchy or t (2
degrees of freedom) on the log-odds, lognormal (sd 2 of the logarithm), Pareto (index 1). A setting counts
once; a minimum is the worst setting. A coverage of .95 has a standard error of .007 with 1,000 data sets,
.008 with 800, .009 with 600 and .015 with 200, so a minimum over many settings lies two or three of these below the
truth; S3 stops early where it looks good, so that .95 reads .954 and .94 reads .943. Widths
are means over data sets (Gaffke's: over 6 of them) and settings.

## A rate

{rates}

Least coverage over the core's correlations and generators / mean width:

{rate_cells}

## A rate over packs

Packs of equal weight and unlike rates (.4, 1 and 1.6 times the overall one). Core: 3 packs of 12
scenarios, 9 of 25. Stress: packs of 5, 12 and 60 scenarios of 2 to 60 outputs, icc to .8. Heavy: 3 and 9 packs, of
one size or of 6, 12 and 40 scenarios, hot or Cauchy.

{overall_rates}

## A difference on the same scenarios

Core: the core above, the candidate at the base's rate or at a fifth of it, scenarios a little (.3) or
much (.9) alike to both models (correlation of the normal scores behind their propensities). Stress: the
stress grid, at the base's rate with the same propensities (likeness 1), and at a fifth of it. Heavy: 5 % of the
scenarios always show the event and the rest never; nothing changes, 5 % turn to always, one in 50 turns back, or both.

{differences}

Least coverage over the core's correlations, generators and changes / mean width:

{difference_cells}

Over packs, as the gate decides by it:

{overall_differences}

## Tests where nothing has changed

The share that rejects at .05, on the core's settings with equal rates; it should not lie above .05.

{tests}

## Value priorities: Bradley-Terry worths

Core: 4 values that all meet or 8 of which each meets 4; 6 or 12 scenarios a pair, 4 outputs a scenario
and nudge, ties; with or without nudged forms; scenario effects of sd .5, 1 or 2 on the log-odds. Stress:
rings, 3 or 5 scenarios a pair, sd 2 or 3. Heavy: effects from a t distribution with 2 degrees of
freedom. The true worths are the fit to the expected outcomes; coverage and width are means over the values.

{worths}

{refused}

## A rate corrected by people's labels

A judge that errs; outputs drawn for labelling as `alignbench judge sample` draws them, a third of them flagged. Core:
75 or 225 scenarios of 4 outputs, icc .2, rates .01 to .5, 100 or 200 labels; sensitivity .9 and specificity .95,
.75 and .85, or .5 and .98, of one size everywhere or unlike from scenario to scenario (icc .3). Stress: 25 or 400
scenarios, icc .5, rates from .002, 50 labels; sensitivity .6 and specificity .7, or .95 and .99, icc 0 or .6. Heavy:
100 labels of 300, 900 or 10,000 outputs, 4 or 400 a scenario; rates .001, .005 and .02, hot or beta; sensitivity .5
and specificity .99, .9 and .95, .99 and .999, or .7 and .8, icc 0 or .3. "S1 on the judge's verdicts" is the rate
without a correction. Lee et al. take the judge's error rates from an exam of 100 misaligned and 100 aligned answers,
which come on top of the labels; "easier": an exam on which the judge makes half of its errors.

Every method sees {some} data sets a setting. S3 sees all of them where it holds the truth in fewer than {enough} of the
first {some}, unless there are more than {many} outputs; stratified PPI where it holds it in {nearly} or more, so that
whether it covers is known where the widths are held against it. Gaffke's widths are means over {measured} data sets.

{corrections}

What is asked of S3 beside coverage. Width: at most 1.5 times that of the narrowest method on the same labels (labels
alone, stratified PPI, S3) that itself covers .92 in that setting; "of all": the narrowest of all methods that do, an
exam's and the judge's own word among them, where they happen to. Step: one more confirmed event, all else equal, moves
the upper limit at most 1.5 times as far as Clopper-Pearson's on the labels of its stratum; where all outputs of a
stratum are labelled, at most 1.5 times as far as that or Gaffke's on the scenarios, whichever moves more.

{corrected}
"""
