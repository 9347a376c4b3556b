"""The options that name a judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from alignbench.errors import InputError, first_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from inspect_ai.model import Model

__all__ = ["grader_options", "make_grader", "read_arguments"]


def grader_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --grader and -M."""
    arguments = click.option(
        "-M", "model_args", multiple=True, metavar="KEY=VALUE", help="Argument of the judge; may be given again."
    )
    grader = click.option(
        "--grader", required=True, metavar="PROVIDER/MODEL",
        help="The judge; with settings as for Inspect's --model-role: '{model: PROVIDER/MODEL, temperature: 0}'.",
    )  # fmt: skip
    return grader(arguments(command))


def read_arguments(pairs: Sequence[str]) -> dict[str, Any]:
    """Read KEY=VALUE pairs as Inspect's own -M does: values are YAML, and hyphens in keys are underscores.

    Raises:
        InputError: A pair without =, or a value that is no YAML.
    """
    import yaml

    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise InputError(f"-M {pair!r}", allowed="KEY=VALUE")
        try:
            found[key.strip().replace("-", "_")] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise InputError(f"-M {pair!r}: the value is no YAML", allowed="KEY=VALUE") from error
    return found


def _read_role(text: str) -> dict[str, Any]:
    """A model's name, or a mapping of `model`, `model_args` and settings, as Inspect reads them in --model-role."""
    import yaml

    if not text.lstrip().startswith("{"):
        return {"model": text}
    try:
        role = yaml.safe_load(text)
    except yaml.YAMLError:
        role = None
    if not isinstance(role, dict) or not role.get("model") or not isinstance(role.get("model_args", {}), dict):
        raise InputError(f"--grader {text!r}", allowed="PROVIDER/MODEL, or {model: PROVIDER/MODEL, temperature: 0}")
    return role


def make_grader(name: str, pairs: Sequence[str] = ()) -> Model:
    """Make the model that judges.

    Raises:
        InputError: An argument cannot be read, or Inspect knows no such model.
    """
    from inspect_ai.model import GenerateConfig

    from alignbench.run.models.make import make_model

    settings = _read_role(name)
    model = settings.pop("model")
    arguments = {**settings.pop("model_args", {}), **read_arguments(pairs)}
    unknown = sorted(set(map(str, settings)) - set(GenerateConfig.model_fields))
    if unknown:
        raise InputError(f"--grader {name!r}: unknown setting {', '.join(map(repr, unknown))}",
                         allowed="model, model_args, and what Inspect's GenerateConfig has")  # fmt: skip
    try:
        config = GenerateConfig.model_validate(settings)
    except ValueError as error:
        raise InputError(f"--grader {name!r}: {first_line(error)}", allowed="settings as Inspect has them") from error
    return make_model(model, "judge", config=config, memoize=False, **arguments)
