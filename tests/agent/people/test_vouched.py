"""What a provider's claims make of somebody: a name, a display, groups and a role."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.people.spelling import user_name
from agent.people.vouched import account_name, role_of, vouched
from drivers import Role

ROLES = {"lab": Role.TECHNICIAN, "admins": Role.ADMINISTRATOR, "quality": Role.QA}
TEXTS = st.none() | st.text() | st.integers() | st.lists(st.text())


def of(claims: dict[str, Any], roles_claim: str = "groups") -> frozenset[str]:
    return vouched({"sub": "1", **claims}, "https://x.example", roles_claim).groups


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ("Kim@lab.example", "kim"),
        ("LAB\\kim", "lab-kim"),
        ("김하나", "김하나"),
        ("  --..", "user"),
        ("a" * 200, "a" * 34),
        ("kim\x00\n", "kim"),
        (None, "user"),
        (7, "user"),
    ],
)
def test_a_name_is_made_that_an_account_may_have(wish: object, name: str) -> None:
    assert account_name([wish]) == name


@given(st.lists(TEXTS, max_size=3))
def test_whatever_a_provider_calls_somebody_the_name_is_one_of_ours(wishes: list[object]) -> None:
    name = account_name(wishes)
    assert user_name(name) == name
    assert user_name(f"{name}-99999") == f"{name}-99999"


@given(st.dictionaries(st.sampled_from(["name", "preferred_username", "groups", "email"]), TEXTS))
def test_whatever_the_claims_hold_somebody_has_a_name_to_be_called_by(
    claims: dict[str, Any],
) -> None:
    found = vouched({"sub": "1", **claims}, "https://x.example", "groups")
    assert found.display.isprintable()
    assert 1 <= len(found.display) <= 80


@pytest.mark.parametrize("subject", [None, "", 7, "x" * 256, ["1"]])
def test_nobody_is_known_without_a_subject(subject: object) -> None:
    with pytest.raises(ValueError, match="sub"):
        vouched({"sub": subject}, "https://x.example", "groups")


def test_groups_are_one_text_a_list_or_a_claim_within_another() -> None:
    assert of({"groups": "lab"}) == {"lab"}
    assert of({"groups": ["lab", 7, None, "admins"]}) == {"lab", "admins"}
    assert of({"realm_access": {"roles": ["lab"]}}, "realm_access.roles") == {"lab"}
    assert of({"https://lab.example/roles": ["lab"]}, "https://lab.example/roles") == {"lab"}
    assert of({"groups": {"lab": True}}) == of({}) == of({"a": "lab"}, "a.b") == frozenset()


def test_the_highest_role_of_the_groups_counts() -> None:
    assert role_of(["lab", "quality"], ROLES) is Role.QA
    assert role_of(["quality", "admins", "lab"], ROLES) is Role.ADMINISTRATOR
    assert role_of(["chess", "LAB"], ROLES) is None
