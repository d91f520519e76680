"""Prints the JSON Schema of a station's file, for editors.

python -m agent.settings.schema > config/station.schema.json
"""

import json
import sys
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from agent.settings.models import StationSettings
from agent.settings.values import Listener
from drivers import Role


class _ConfigSchema(GenerateJsonSchema):
    """Shows defaults as they are written in a file, and no titles that repeat the keys."""

    def encode_default(self, dft: Any) -> Any:
        match dft:
            case BaseModel():
                return dft.model_dump(mode="json", exclude_none=True)
            case Role():
                return dft.name.lower()
            case Listener():
                return str(dft)
        return super().encode_default(dft)

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema() -> str:
    """The schema as it stands in `config/station.schema.json`."""
    found = StationSettings.model_json_schema(schema_generator=_ConfigSchema)
    found["$schema"] = _ConfigSchema.schema_dialect
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
