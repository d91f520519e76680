"""What a browser does for the first page: no more than what is seen, and nothing twice."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from agent.web.console.show import ago
from tests.browser.conftest import Open, renew, until_live

pytestmark = pytest.mark.lab

PUSHED = (
    """() => new Promise((pushed) => document.addEventListener("items", pushed, {once: true}))"""
)
ASKED_FOR = (
    """() => performance.getEntriesByType("resource").map((it) => new URL(it.name).pathname)"""
)
IS_DRAWN = """(card) => card.querySelector("h2").checkVisibility({contentVisibilityAuto: true})"""
SAID = """async ([ages, language]) => {
  const { setAge } = await import(document.body.dataset.files.replace("console.js", "ages.js"));
  const value = document.querySelector(".value");
  return ages.map((age) => {
    setAge(value, age);
    return value.querySelector('[data-part="age"]').textContent;
  });
}"""

TOLD = """() => new Promise((told) => {
  const ages = [];
  document.addEventListener("items", (event) => {
    const item = event.detail["value:psu1.measured_voltage"];
    if (item) ages.push(item[2]);
    if (ages.length === 5) told(ages);
  });
})"""
OLD = """() => {
  const value = document.querySelector(".value").cloneNode(true);
  value.id = "value:of.nobody"; // no push is for it
  value.dataset.age = "3600.5";
  document.getElementById("main").append(value);
}"""
AGED = """async () => {
  const { setAge } = await import(document.body.dataset.files.replace("console.js", "ages.js"));
  setAge(document.getElementById("value:of.nobody"), 7200.5);
}"""
SEEN_BY = """(somebody) => {
  Object.defineProperty(document, "hidden", {value: !somebody, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_a_page_that_goes_live_asks_for_nothing_that_it_has(open_page: Open) -> None:
    page = open_page("/")
    until_live(page)
    page.evaluate(PUSHED)  # what the first push asked for has been asked for
    asked_for = page.evaluate(ASKED_FOR)
    assert {"/parts/cards", "/parts/questions"} & set(asked_for) == set()
    assert len(asked_for) == len(set(asked_for)) < 15


def test_a_page_that_comes_back_asks_for_all_of_its_parts(open_page: Open) -> None:
    page = open_page("/")
    until_live(page)
    page.evaluate(SEEN_BY, False)
    with page.expect_request(lambda it: "/live/station" in it.url) as connection:
        with page.expect_response(lambda it: "/parts/cards" in it.url):
            page.evaluate(SEEN_BY, True)
    assert "has=" not in connection.value.url


def test_no_part_comes_anew_under_a_finger_and_what_was_held_back_comes_after_it(
    open_page: Open,
) -> None:
    page = open_page("/")
    until_live(page)
    page.evaluate("document.getElementById('cards').dataset.mark = 'old'")
    page.mouse.move(5, 5)
    page.mouse.down()
    with page.expect_response(lambda it: "/parts/cards" in it.url) as answer:
        page.evaluate("document.getElementById('cards').dispatchEvent(new CustomEvent('renew'))")
    answer.value.finished()
    page.evaluate(PUSHED)  # so long it has been there
    assert page.locator("#cards").get_attribute("data-mark") == "old"
    page.mouse.up()
    expect(page.locator("#cards")).not_to_have_attribute("data-mark", "old")


def test_cards_that_are_far_from_the_window_are_drawn_when_somebody_comes_to_them(
    open_page: Open,
) -> None:
    page = open_page("/", width=360)
    page.set_viewport_size({"width": 360, "height": 200})
    last = page.locator("#cards > .card").last
    handle = last.element_handle()
    page.wait_for_function(f"(card) => !({IS_DRAWN})(card)", arg=handle)
    # It can be found all the same, by ears and by the keyboard.
    expect(last.get_by_role("link").first).to_be_attached()
    last.get_by_role("link").first.focus()
    page.wait_for_function(IS_DRAWN, arg=handle)
    expect(last.get_by_role("link").first).to_be_in_viewport()


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_script_counts_an_age_on_in_the_words_that_the_page_came_with(
    open_page: Open, language: str
) -> None:
    page = open_page("/", language=language)
    ages = [0.5, 59.5, 60.5, 3599.5, 3600.5, 90000.5]
    said = page.evaluate(SAID, [ages, language])
    assert said == [ago(it, language) for it in ages]


def test_what_comes_anew_makes_no_other_value_younger(open_page: Open) -> None:
    page = open_page("/")
    until_live(page)
    page.evaluate(OLD)
    renew(page, "alarms")
    age = page.locator('[id="value:of.nobody"] [data-part="age"]')
    expect(age).to_have_text("1 h ago")
    page.evaluate(AGED)
    renew(page, "alarms")
    expect(age).to_have_text("2 h ago")


def test_a_value_comes_at_most_half_a_second_after_the_device_was_asked(open_page: Open) -> None:
    page = open_page("/")
    until_live(page)
    assert min(page.evaluate(TOLD)) < 0.5  # a busy machine may be late, but not each time
