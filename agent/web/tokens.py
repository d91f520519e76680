"""The tokens of programs, as administrators manage them."""

from typing import Annotated, Any

from fastapi import APIRouter, Path

from agent.web import people_forms as forms
from agent.web.actions import ANY_BODY
from agent.web.person import FOR_ADMINISTRATORS, TheAdministrator, ThePeople, as_problems
from agent.web.routes import WITH_TOKEN, answers
from agent.web.users import TO_CHANGE, TO_LOOK

tokens = APIRouter(prefix="/api/v1", dependencies=[WITH_TOKEN])
TokenName = Annotated[str, Path(description="A token of the station.", examples=["night-report"])]


@tokens.get(
    "/tokens",
    dependencies=[FOR_ADMINISTRATORS],
    summary="All tokens",
    responses=answers({"tokens": [forms.TOKEN]}, *TO_LOOK),
    response_model=forms.TokensForm,
)
async def all_tokens(people: ThePeople) -> dict[str, Any]:
    """What programs may do and for how long; never the tokens themselves."""
    its = people.tokens
    return {"tokens": [forms.token_form(row, its) for row in its.listing]}


@tokens.post(
    "/tokens",
    summary="Make a token",
    responses=answers({**forms.TOKEN, "token": "lk_…"}, *TO_CHANGE, "exists"),
    response_model=forms.MadeToken,
)
async def make_token(
    body: forms.NewToken, people: ThePeople, actor: TheAdministrator
) -> dict[str, Any]:
    """Make one for a program. It is shown in this answer, and never again."""
    with as_problems():
        token, row = await people.tokens.add(actor, body.name, body.scope, body.days)
    return {**forms.token_form(row, people.tokens), "token": token}


@tokens.delete(
    "/tokens/{name}",
    summary="Revoke a token",
    openapi_extra=ANY_BODY,
    responses=answers({**forms.TOKEN, "counts": False}, *TO_CHANGE, "no-such"),
    response_model=forms.TokenForm,
)
async def revoke_token(
    name: TokenName, people: ThePeople, actor: TheAdministrator
) -> dict[str, Any]:
    """Let a token count no more, at once."""
    with as_problems():
        return forms.token_form(await people.tokens.revoke(actor, name), people.tokens)
