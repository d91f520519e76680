"""A refusal as a page, for a person whose browser asked for one."""

from fastapi import Request, Response

from agent.languages.catalogues import in_language
from agent.web.console.page import language_of, page
from agent.web.problems import KINDS, Problem


def problem_page(request: Request, problem: Problem) -> Response | None:
    """The page; None where a program asks, or a part of a page is asked for."""
    path = request.url.path
    if path.startswith(("/api/", "/parts/", "/live/", "/static/")):
        return None
    if "text/html" not in request.headers.get("accept", ""):
        return None
    detail = in_language(problem.detail, language_of(request))
    status = KINDS[problem.kind].status
    answer = page(request, "problem.html", status=status, detail=detail)
    answer.headers.update(problem.headers)
    return answer
