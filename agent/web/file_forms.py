"""The JSON of files to print, what was found in them, and whether a printer may get them."""

from typing import Annotated

from pydantic import BaseModel, Field

from agent.web import examples
from agent.web.forms import Moment, config
from agent.web.paging import Next

Sha256 = Annotated[str, Field(description='In hex digits; "" where it is not known.')]
FileName = Annotated[
    str,
    Field(
        strict=True,
        max_length=1000,
        description="Up to 200 bytes of UTF-8, in one of its spellings (NFC or NFD); no path.",
    ),
]


class UseForm(BaseModel):
    """How often a code is used, and the line of the first time."""

    model_config = config(examples.SURVEY["codes"]["G1"])

    count: int
    line: int


class SpotForm(BaseModel):
    """A line, and the code in it."""

    model_config = config(examples.SURVEY["unplaced"]["E"])

    line: int
    code: str


class PeakForm(BaseModel):
    """The highest value (°C, or mm/min of a feed), and the first line and code that set it."""

    model_config = config(examples.PEAK)

    value: float
    line: int
    code: str


class ExtentForm(BaseModel):
    """The lowest and the highest coordinate of an axis in mm, each with its first line and code."""

    model_config = config(examples.EXTENT)

    low: float
    low_line: int
    low_code: str
    high: float
    high_line: int
    high_code: str


class TroubleForm(BaseModel):
    """Why the file can't be printed, where, and whether only because it is sent line by line."""

    model_config = config(examples.TROUBLE)

    line: Annotated[int, Field(description="0 for the file as a whole.")]
    code: str
    text: str
    by_lines: bool


class ThumbnailForm(BaseModel):
    """A picture in the file: pixels, and `png`, `jpg` or `qoi`."""

    model_config = config(examples.SLICER["thumbnails"][0])

    width: int
    height: int
    format: str


class SlicerForm(BaseModel):
    """What the slicer says of itself and of the print: s, mm, g. null is what it does not say."""

    model_config = config(examples.SLICER)

    name: str
    version: str
    seconds: float | None
    layers: int | None
    layer_height: float | None
    filament_mm: float | None
    filament_g: float | None
    thumbnails: list[ThumbnailForm]


class LoadForm(BaseModel):
    """A share of the print: the bytes/s that it needs, the seconds it lasts, its first line."""

    model_config = config(examples.LOAD)

    needed: float
    seconds: float
    line: int


class DemandForm(BaseModel):
    """What a serial line has to carry, from the least to the most, and the worst moment."""

    model_config = config(examples.SURVEY["demand"])

    loads: list[LoadForm]
    worst: LoadForm | None


class SurveyForm(BaseModel):
    """What is in a file, whatever printer it is meant for; null is what is not in it."""

    model_config = config(examples.SURVEY)

    size: Annotated[int, Field(description="Bytes; of a file that was given up, those looked at.")]
    sha256: Annotated[str, Field(description='"" of a file that was given up.')]
    lines: int
    commands: Annotated[int, Field(description="Lines that would be sent.")]
    trouble: Annotated[list[TroubleForm], Field(description="At most 20.")]
    more_trouble: int
    codes: dict[str, UseForm]
    box: Annotated[dict[str, ExtentForm], Field(description="Where the head moves, by axis.")]
    printed: Annotated[dict[str, ExtentForm], Field(description="Where it extrudes, by axis.")]
    unplaced: Annotated[
        dict[str, SpotForm],
        Field(description="Axes set anew at a place that the file does not tell."),
    ]
    nozzle: PeakForm | None
    bed: PeakForm | None
    chamber: PeakForm | None
    feed: PeakForm | None
    slicer: SlicerForm
    seconds: Annotated[
        float | None,
        Field(description="What the slicer says, else lengths divided by feeds."),
    ]
    demand: DemandForm


class SlicedForm(BaseModel):
    """What the list shows of what the slicer says."""

    model_config = config(examples.SUMMARY["slicer"])

    name: str
    layers: int | None
    filament_mm: float | None
    filament_g: float | None


class SummaryForm(BaseModel):
    """The most important of a survey; `troubles` are the reasons why it can't be sent by lines."""

    model_config = config(examples.SUMMARY)

    lines: int
    commands: int
    seconds: float | None
    troubles: int
    slicer: SlicedForm


class ListedForm(BaseModel):
    """A file of the store, with what is known of it so far."""

    model_config = config(examples.FILES["files"][0])

    name: str
    size: Annotated[int, Field(description="Bytes.")]
    modified: Moment
    sha256: Sha256
    survey: Annotated[SummaryForm | None, Field(description="null until it is examined.")]


class FileForm(BaseModel):
    """A file of the store, and what is in it."""

    model_config = config(examples.FILE)

    name: str
    size: Annotated[int, Field(description="Bytes.")]
    modified: Moment
    sha256: Sha256
    survey: Annotated[
        SurveyForm | None, Field(description="null of a file that could not be examined.")
    ]


class FilesForm(BaseModel):
    """All files by name, and the bytes: used, allowed, and free to be used."""

    model_config = config(examples.FILES)

    files: list[ListedForm]
    used: int
    limit: int
    free: int
    next: Next


class AdmissionRequest(BaseModel):
    """The file that a printer is meant to get."""

    model_config = config({"file": examples.FILE["name"]})

    file: FileName


class AdmissionForm(BaseModel):
    """Whether the printer may get the file; every reason why not, and what to expect."""

    model_config = config(examples.ADMISSION)

    admitted: bool
    reasons: list[str]
    warnings: list[str]
