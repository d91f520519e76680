"""Prints the JSON Schema of a recipe's file, for editors.

python -m agent.jobs.recipes.recipe_schema > config/recipe.schema.json
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from agent.jobs.language.messages import Words
from agent.jobs.language.quantities import Duration
from agent.jobs.recipes.recipe import STEP_KINDS, Recipe

STEP: Final = {"$ref": "#/$defs/Step"}


class _RecipeSchema(GenerateJsonSchema):
    """Shows defaults as they are written in a file, and no titles that repeat the keys."""

    def encode_default(self, dft: Any) -> Any:
        match dft:
            case BaseModel():
                return dft.model_dump(mode="json", exclude_none=True)
            case Duration():
                return str(dft)
        return super().encode_default(dft)

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema() -> str:
    """The schema as it stands in `config/recipe.schema.json`."""
    models = [(model, "validation") for model in (Recipe, *STEP_KINDS)]
    _, whole = models_json_schema(models, schema_generator=_RecipeSchema)  # type: ignore[arg-type]
    parts: dict[str, Any] = _with_steps(whole["$defs"])
    parts["Step"] = {"anyOf": [{"$ref": f"#/$defs/{kind.__name__}"} for kind in STEP_KINDS]}
    parts[Words.__name__] = {"anyOf": [{"type": "string"}, parts[Words.__name__]]}
    recipe = parts.pop(Recipe.__name__)
    found = {**recipe, "$defs": parts, "$schema": _RecipeSchema.schema_dialect}
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _with_steps(part: Any) -> Any:
    """Put the reference to any step where the models only say that there is a step."""
    match part:
        case {"$comment": "step"}:
            return STEP
        case dict():
            return {key: _with_steps(value) for key, value in part.items()}
        case list():
            return [_with_steps(value) for value in part]
    return part


if __name__ == "__main__":
    sys.stdout.write(schema())
