"""The users of a station, as administrators manage them."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path

from agent.web import people_forms as forms
from agent.web.actions import ANY_BODY
from agent.web.person import (
    FOR_ADMINISTRATORS,
    OF_CHANGES,
    TheAdministrator,
    ThePeople,
    as_problems,
)
from agent.web.routes import AT_THE_DOOR, AT_THE_DOOR_TO_CHANGES, WITH_TOKEN, answers
from drivers import Role

TO_CHANGE: Final = (*AT_THE_DOOR_TO_CHANGES, *OF_CHANGES)
TO_LOOK: Final = (*AT_THE_DOOR, "no-token", "not-allowed", "not-kept")

users = APIRouter(prefix="/api/v1", dependencies=[WITH_TOKEN])
UserName = Annotated[str, Path(description="A user of the station.", examples=["kim"])]


@users.get(
    "/users",
    dependencies=[FOR_ADMINISTRATORS],
    summary="All users",
    responses=answers({"users": [forms.USER]}, *TO_LOOK),
    response_model=forms.UsersForm,
)
async def all_users(people: ThePeople) -> dict[str, Any]:
    """Everybody who may sign in, or could once."""
    return {"users": [forms.user_form(it) for it in people.accounts.listing]}


@users.get(
    "/users/{name}",
    dependencies=[FOR_ADMINISTRATORS],
    summary="One user",
    responses=answers(forms.USER, *TO_LOOK, "no-such"),
    response_model=forms.UserForm,
)
async def one_user(name: UserName, people: ThePeople) -> dict[str, Any]:
    """One of them."""
    with as_problems():
        return forms.user_form(people.accounts.named(name))


@users.post(
    "/users",
    summary="Add a user",
    responses=answers(forms.USER, *TO_CHANGE, "exists"),
    response_model=forms.UserForm,
)
async def add_user(
    body: forms.NewUser, people: ThePeople, actor: TheAdministrator
) -> dict[str, Any]:
    """Let somebody sign in from now on."""
    with as_problems():
        made = await people.accounts.add(
            *(actor, body.name, Role[body.role.upper()], body.password), display=body.display
        )
    return forms.user_form(made)


@users.post(
    "/users/{name}/role",
    summary="Change a user's role",
    responses=answers(forms.USER, *TO_CHANGE, "no-such"),
    response_model=forms.UserForm,
)
async def set_role(
    name: UserName, body: forms.NewRole, people: ThePeople, actor: TheAdministrator
) -> dict[str, Any]:
    """Give somebody another role, which counts at once. One administrator has to remain."""
    with as_problems():
        role = Role[body.role.upper()]
        return forms.user_form(await people.accounts.set_role(actor, name, role))


@users.post(
    "/users/{name}/password",
    summary="Change a user's password",
    responses=answers(forms.USER, *TO_CHANGE, "no-such"),
    response_model=forms.UserForm,
)
async def set_password(
    name: UserName, body: forms.NewPassword, people: ThePeople, actor: TheAdministrator
) -> dict[str, Any]:
    """Give somebody another password. All their sessions end."""
    with as_problems():
        await people.give_password(actor, name, body.password)
        return forms.user_form(people.accounts.named(name))


@users.post(
    "/users/{name}/disable",
    summary="Switch a user off",
    openapi_extra=ANY_BODY,
    responses=answers({**forms.USER, "enabled": False}, *TO_CHANGE, "no-such"),
    response_model=forms.UserForm,
)
async def disable_user(
    name: UserName, people: ThePeople, actor: TheAdministrator
) -> dict[str, Any]:
    """Let somebody sign in no longer: sessions end, and tokens that they made count no more."""
    with as_problems():
        return forms.user_form(await people.switch(actor, name, on=False))


@users.post(
    "/users/{name}/enable",
    summary="Switch a user on",
    openapi_extra=ANY_BODY,
    responses=answers(forms.USER, *TO_CHANGE, "no-such"),
    response_model=forms.UserForm,
)
async def enable_user(name: UserName, people: ThePeople, actor: TheAdministrator) -> dict[str, Any]:
    """Let somebody sign in again, with the password and the role of before."""
    with as_problems():
        return forms.user_form(await people.switch(actor, name, on=True))
