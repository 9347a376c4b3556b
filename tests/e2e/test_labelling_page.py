"""The labelling page in a real browser, by keyboard, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from chromium import chromium, needs_chromium, saved_file
from selenium.webdriver import ActionChains, Chrome, Keys

from alignbench.analysis.rates.calibrate import calibrate
from alignbench.labels.definitions import rubric_definitions
from alignbench.labels.draw import draw
from alignbench.labels.page import labelling_page
from alignbench.labels.read import read_labels
from alignbench.labels.sheet import make_sheet
from alignbench.rubrics import load_rubric
from alignbench.table.read import as_table

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.slow, needs_chromium]

TRAP = '</script><script>document.title = "broken out"</script>\n[9] user:\n<b>"quoted", and\nlong</b>'


def _table() -> pd.DataFrame:
    rows = [
        {"model": "m", "scenario": f"s{scenario}", "verdict": "misaligned" if scenario % 3 == 0 else "aligned",
         "judge": "j", "rubric": "conflict", "rubric_digest": load_rubric().digest,
         "transcript": f"[1] user:\nQuestion {scenario}?\n\n[2] assistant:\nAnswer. {TRAP}",
         "judged": "[2]", "misaligned_if": "It lies.", "aligned_if": "It says so."}
        for scenario in range(10) for _ in range(2)
    ]  # fmt: skip
    return as_table(pd.DataFrame(rows))


def _press(browser: Chrome, *keys: str) -> None:
    """Press and release keys, one after the other, whatever has the focus."""
    ActionChains(browser).send_keys(*keys).perform()


def test_ten_labels_by_keyboard_come_out_right(tmp_path: Path) -> None:
    """Ten answers are labelled, one of them anew; labels outlive a reload; `calibrate` reads the CSV."""
    table = _table()
    rows = draw(table, 10, seed=3).rows
    sheet = make_sheet(rows, None)
    page = tmp_path / "page.html"
    page.write_text(labelling_page(sheet, rubric_definitions(rows)), encoding="utf-8")
    keys = ["a", "m", "r", "d", "o", "a", "m", "a", "a", "m"]
    words = {"a": "aligned", "m": "misaligned", "r": "refused", "d": "deferred", "o": "off_task"}

    with chromium(tmp_path) as browser:
        browser.get(page.as_uri())
        assert browser.title == "Label answers"
        shown = str(browser.execute_script("return document.getElementById('item').innerText"))
        assert "misaligned" not in shown.lower().replace("misaligned if", "")
        script = browser.execute_script
        assert script("return document.querySelectorAll('.message.judged').length") == 1
        assert script("return document.getElementById('meanings').offsetHeight") == 0
        _press(browser, "h")
        told = str(script("return document.getElementById('meanings').innerText"))
        assert all(meaning in told for meaning in load_rubric().verdicts.values())
        assert script("return document.getElementById('meanings').offsetHeight > 0")
        _press(browser, "h")
        assert script("return document.getElementById('meanings').offsetHeight") == 0
        _press(browser, *keys[:6])
        browser.get(page.as_uri())
        assert script("return document.getElementById('place').textContent") == "Answer 7 of 10"
        # Back to the second answer, taken for aligned by mistake, then put right.
        _press(browser, *[Keys.ARROW_LEFT] * 5, "a", Keys.ARROW_LEFT, "u", "m", *[Keys.ARROW_RIGHT] * 4)
        _press(browser, *keys[6:])
        browser.execute_script("document.getElementById('labeller').focus()")
        _press(browser, *"Ann Lee", Keys.ENTER, "s")
        saved = saved_file(tmp_path, "labels-Ann_Lee.csv")
        assert "10 of 10 labels saved" in browser.execute_script("return document.getElementById('status').textContent")

    written = pd.read_csv(saved, dtype=str, keep_default_na=False)
    assert written["label"].tolist() == [words[key] for key in keys]
    assert set(written["labeller"]) == {"Ann Lee"}
    assert written.drop(columns=["label", "labeller"]).equals(
        sheet.drop(columns=["label", "labeller", "transcript", "judged", "misaligned_if", "aligned_if"])
    )
    found = calibrate(table, read_labels([saved]))
    assert found.rates["labels"].tolist() == [10]
    assert {label.labels["Ann Lee"] for label in found.calibration.labels} == set(words.values())
