"""Models by name, with one error for all the ways in which they cannot be had."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from alignbench.errors import AlignbenchError, InputError

if TYPE_CHECKING:
    from inspect_ai.model import Model

__all__ = ["make_model"]


def make_model(name: str, role: str, **options: Any) -> Model:
    """Make a model before anything is asked: its provider, package, key and weights are there, or it is refused.

    Args:
        name: PROVIDER/MODEL.
        role: What it is for, in words.
        options: Of `inspect_ai.model.get_model`.

    Raises:
        AlignbenchError: It cannot be made.
    """
    from inspect_ai.model import get_model

    try:
        return get_model(name, **options)
    except AlignbenchError:
        raise
    except Exception as error:  # each provider has its own kinds for a missing key, package or model
        # Inspect writes its advice in several lines, with marks for colours.
        said = " ".join(re.sub(r"\[/?[a-z]+\]", "", str(error)).split()).removeprefix("ERROR: ")
        raise InputError(f"cannot use the {role} {name!r}: {said or type(error).__name__}",
                         allowed="PROVIDER/MODEL as Inspect names models") from error  # fmt: skip
