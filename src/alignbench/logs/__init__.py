"""From Inspect logs to tables; the only reader of logs.

Header and summaries, and single samples where these do not tell: cut short, declared invalid, edited. A finished
local `.eval` file is read directly (a zip of zstd-compressed JSON, of which just the fields we need are decoded);
anything else, such as a `.json` log, a remote path or a run still going, through Inspect.
"""

from alignbench.logs.exams import exam_rows
from alignbench.logs.find import find_logs
from alignbench.logs.read import check_samples, pack_logs
from alignbench.logs.tables import verdicts, write_verdicts

__all__ = ["check_samples", "exam_rows", "find_logs", "pack_logs", "verdicts", "write_verdicts"]
