"""Keys of a station's config about the folders of its runs."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from agent.settings.values import File

RunsFolder: TypeAlias = Annotated[
    File, Field(description="Folder of the jobs' run folders; below `state`.")
]
RunFormats: TypeAlias = Annotated[
    tuple[Literal["parquet", "arrow"], ...],
    Field(
        strict=False,
        max_length=2,
        description="Forms of recorded readings beside CSV; needs labkeeper[data].",
    ),
]
