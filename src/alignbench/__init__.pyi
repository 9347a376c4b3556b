# The public names and types of alignbench, each with its home: the only list of them, also at run time.
from alignbench.analysis.agreement.agreement import agreement as agreement
from alignbench.analysis.compare.compare import compare as compare
from alignbench.analysis.compare.compare import unpaired as unpaired
from alignbench.analysis.drift.drift import Drift as Drift
from alignbench.analysis.drift.drift import drift as drift
from alignbench.analysis.gate.decision import GateReport as GateReport
from alignbench.analysis.gate.gate import gate as gate
from alignbench.analysis.gate.policy import Policy as Policy
from alignbench.analysis.gate.policy import load_policy as load_policy
from alignbench.analysis.gate.rows import GateRow as GateRow
from alignbench.analysis.plan.plan import plan as plan
from alignbench.analysis.ranks.ranks import ranks as ranks
from alignbench.analysis.rates.calibrate import calibrate as calibrate
from alignbench.analysis.rates.rates import rates as rates
from alignbench.analysis.values.priorities import priorities as priorities
from alignbench.errors import AlignbenchError as AlignbenchError
from alignbench.errors import InputError as InputError
from alignbench.errors import NotComparableError as NotComparableError
from alignbench.judges.card import JudgeCard as JudgeCard
from alignbench.judges.panel import panel as panel
from alignbench.labels.calibration import Calibration as Calibration
from alignbench.labels.calibration import load_calibration as load_calibration
from alignbench.logs.inputs import read_inputs as read_inputs
from alignbench.packs.load import Pack as Pack
from alignbench.packs.load import load_pack as load_pack
from alignbench.packs.load import shipped_packs as shipped_packs
from alignbench.packs.new import new_pack as new_pack
from alignbench.packs.schema import LabelledAnswer as LabelledAnswer
from alignbench.packs.schema import Scenario as Scenario
from alignbench.report.leaderboard.board import Board as Board
from alignbench.report.leaderboard.boards import leaderboard as leaderboard
from alignbench.report.leaderboard.write import write_leaderboard as write_leaderboard
from alignbench.rubrics.load import Rubric as Rubric
from alignbench.rubrics.load import load_rubric as load_rubric
from alignbench.table.read import as_table as as_table
from alignbench.table.read import read_table as read_table

__version__: str
__all__: list[str]
