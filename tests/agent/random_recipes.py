"""Recipes that Hypothesis makes up: valid ones, of steps inside steps, over two toy supplies."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

Steps = list[dict[str, Any]]
ROLES: Final = {"supply": "psu1", "other": "psu2"}
DEPTH: Final = 3
TIMES = st.sampled_from([0, 0.02, 0.2])
VOLTS = st.integers(0, 12)


def step(**keys: object) -> st.SearchStrategy[dict[str, Any]]:
    """A step whose keys are drawn, or stand as they are; `with_` is `with`."""
    drawn = {
        name.rstrip("_"): it if isinstance(it, st.SearchStrategy) else st.just(it)
        for name, it in keys.items()
    }
    return st.fixed_dictionaries(drawn)


def leaves(role: str) -> st.SearchStrategy[dict[str, Any]]:
    """Steps that have no steps inside, all of one device."""
    until = step(
        until=f"{role}.measured_voltage > 4",
        steady=0.05,
        within=st.sampled_from([0.1, 0.4]),
        otherwise=st.sampled_from(["fail", "go_on"]),
    )
    ramp = step(to=VOLTS, seconds=st.sampled_from([0.1, 0.3]))
    warm = step(**{f"warm_{role}": step(value=f"{role}.temperature", high=VOLTS)})
    voltage, rates = f"{role}.voltage", st.sampled_from([5, 50])
    return st.one_of(
        step(set=step(**{voltage: VOLTS})),
        step(set=step(**{f"{role}.output": st.booleans()})),
        step(wait=TIMES),
        step(wait=until),
        step(ramp=voltage, to=VOLTS, rate=rates, every=0.1),
        step(do=f"{role}.ramp", with_=ramp),
        step(measure=warm, on_fail=st.sampled_from(["go_on", "go_on", "end"])),
        step(log=f"at {role}"),
        step(call=f"inner_{role}"),
    )


def lists(roles: tuple[str, ...], depth: int = DEPTH) -> st.SearchStrategy[Steps]:
    """One to three steps that set and command these devices alone."""
    return st.lists(st.one_of(*steps(roles, depth)), min_size=1, max_size=3)


def steps(roles: tuple[str, ...], depth: int) -> list[st.SearchStrategy[dict[str, Any]]]:
    """Every kind of step; what has steps inside goes down to `depth`."""
    found = [leaves(role) for role in roles]
    if depth == 0:
        return found
    inner = st.deferred(lambda: lists(roles, depth - 1))
    condition = f"{roles[0]}.measured_voltage > 3"
    found += [
        step(repeat=step(times=st.integers(1, 2)), steps=inner),
        step(**{"if": condition}, then=inner, **{"else": inner}),
    ]
    if len(roles) > 1:
        branches = {role: lists((role,), depth - 1) for role in roles}
        found.append(st.fixed_dictionaries({"parallel": st.fixed_dictionaries(branches)}))
    return found


def recipe(name: str, body: Steps, **more: Steps) -> dict[str, Any]:
    """A whole recipe of these steps, with the roles that it speaks of."""
    spoken = str([body, more])
    roles = {
        role: {"driver": "toy.supply", "device": device}
        for role, device in ROLES.items()
        if f"{role}." in spoken or f"inner_{role}" in spoken
    }
    return {"name": name, "version": "1", "devices": roles, "steps": body, **more}


def inner(role: str) -> dict[str, Any]:
    """The recipe that others call for a device: it has a `finally` of its own."""
    body: Steps = [{"set": {f"{role}.voltage": 2}}, {"wait": 0.3}]
    return recipe(f"inner_{role}", body, **{"finally": [{"log": f"inner {role} over"}]})
