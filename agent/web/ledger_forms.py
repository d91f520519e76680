"""The JSON of the ledger: its rows as they were hashed, its head, and what a verification says."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from agent.web import ledger_examples as examples
from agent.web.forms import config

MOST_HEADS = 20

Hash = Annotated[str, Field(description="SHA-256 in hexadecimal digits.")]


class HeadForm(BaseModel):
    """Where the ledger ends."""

    model_config = config(examples.HEAD)

    seq: Annotated[int, Field(description="The last row; 0 while there is none.")]
    hash: Hash


class SaidForm(BaseModel):
    """What people call what a row says, in the language that was asked for."""

    model_config = config(examples.SAID)

    kind: Annotated[str, Field(description="What it is about.")]
    action: Annotated[str, Field(description="What was done.")]
    stage: Annotated[str, Field(description="How far a command is; empty where it is none.")]
    reason: Annotated[str, Field(description="Why.")]


class RowForm(BaseModel):
    """One row."""

    model_config = config(examples.ROW)

    seq: int
    prev_hash: Hash
    hash: Hash
    entry: Annotated[
        dict[str, Any],
        Field(
            description="What was hashed, field by field. Its `kind` is `damaged` where it is no "
            "JSON any more."
        ),
    ]
    said: SaidForm


class PageForm(BaseModel):
    """Some rows, in the order that was asked for."""

    model_config = config(examples.PAGE)

    rows: list[RowForm]
    next: Annotated[
        int | None,
        Field(description="The `cursor` of the next page; null where there is no more."),
    ]


class Heads(BaseModel):
    """Heads that were kept elsewhere, to be held against the ledger."""

    model_config = config({"heads": ["812:" + "9f86" * 16]})

    heads: Annotated[
        list[Annotated[str, Field(strict=True, max_length=100)]],
        Field(description="Each as `verify` prints it: row, colon, hash.", max_length=MOST_HEADS),
    ] = []


class FindingForm(BaseModel):
    """One thing that is wrong."""

    model_config = config(examples.FINDING)

    seq: Annotated[int, Field(description="The row where it shows.")]
    text: str


class VerdictForm(BaseModel):
    """What a verification has found."""

    model_config = config(examples.VERDICT)

    verified: Annotated[bool, Field(description="Whether nothing is wrong.")]
    rows: Annotated[int, Field(description="How many were read.")]
    head: HeadForm
    findings: list[FindingForm]
    more_findings: Annotated[int, Field(description="How many there are beyond those listed.")]
    notes: Annotated[list[str], Field(description="What is to be known, and no fault of the rows.")]
