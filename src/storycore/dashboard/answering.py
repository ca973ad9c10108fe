"""Answers of pages as responses: HTML under a strict policy, JSON of the same, other pages, pictures, files."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request as HttpRequest
from starlette.responses import RedirectResponse, Response

from storycore import __version__
from storycore.dashboard.page import Answer, Go, Handing, Page, Picture
from storycore.dashboard.templating import Templates
from storycore.dashboard.visit import Visit
from storycore.dashboard.words import SAID
from storycore.errors import NotAuthenticated, Reason, StoryCoreError
from storycore.json_text import write
from storycore.operations.artifact import ArtifactDownloadResult
from storycore.operations.request import Result
from storycore.settings import Settings

COOKIE: Final = "storycore_key"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # without any, browsers send forms with `Origin: null`, which is foreign
}
_MONTH_SECONDS: Final = 30 * 86_400


class Answering:
    """Makes responses.

    Args:
        asset: gives the address of a file that belongs to the pages.
        hand_out: answers with a finished file.
        settings: say whether keys are needed.
        paths: of all pages.
    """

    def __init__(
        self,
        asset: Callable[[str], str],
        hand_out: Callable[[ArtifactDownloadResult, bool], Response],
        settings: Settings,
        paths: frozenset[str],
    ) -> None:
        self._templates, self._paths = Templates(asset), paths
        self._hand_out, self._settings = hand_out, settings

    def respond(self, http: HttpRequest, visit: Visit, answer: Answer) -> Response:
        """The response to a visit."""
        match answer:
            case Page():
                as_json = http.query_params.get("format") == "json"
                return self._json(answer) if as_json else self._page(visit, answer)
            case Go():
                return self._go(http, answer)
            case Picture():
                kept = f"private, max-age={answer.seconds}" if answer.seconds else "no-store"
                return Response(answer.content, media_type=answer.media_type, headers={"Cache-Control": kept})
            case Handing():
                return self._hand_out(answer.artifact, answer.inline)

    def live(self, visit: Visit, page: Page) -> str:
        """The part of a page that changes."""
        return self._templates.live(page.template, self._values(visit, page))

    def fault(self, http: HttpRequest, visit: Visit, fault: StoryCoreError) -> Response:
        """A page that says what happened and what to do."""
        told = {"error": fault.as_dict(), "request_id": http.scope.get("storycore.request_id", "")}
        page = Page(template="fault.html", title="That did not work", data=told, status=fault.facts.http_status)
        response = self.respond(http, visit, page)
        wait_seconds = fault.details.get("retry_after_seconds")
        if wait_seconds is not None:
            response.headers["Retry-After"] = str(wait_seconds)
        return response

    def sign_in(self, http: HttpRequest, visit: Visit, fault: NotAuthenticated) -> Response:
        """Leads people to where a key can be shown, and from there back; programs are told."""
        asked = http.query_params
        if http.method != "GET" or "format" in asked or "live" in asked or "authorization" in http.headers:
            return self.fault(http, visit, fault)
        back = {"next": http.url.path + (f"?{http.url.query}" if http.url.query else "")}
        if fault.reason is not Reason.KEY_MISSING:
            back["again"] = "1"
        return RedirectResponse(f"/sign-in?{urlencode(back)}", 303)

    def _values(self, visit: Visit, page: Page) -> dict[str, Any]:
        return {
            **page.data, **page.more, "title": page.title, "visit": visit, "is_live": page.live and not page.ended,
            "linked": self._paths, "said": SAID.get(visit.query.get("said", "")), "version": __version__,
            "signed_in": bool(visit.scopes) and not self._settings.is_open,
        }  # fmt: skip

    def _page(self, visit: Visit, page: Page) -> Response:
        text = self._templates.whole(page.template, self._values(visit, page))
        content = text.encode(errors="replace")
        return Response(content, page.status, headers=_HEADERS, media_type="text/html; charset=utf-8")

    def _json(self, page: Page) -> Response:
        told = write({name: _plain(value) for name, value in page.data.items()}, indent=2)
        return Response(told.encode(errors="backslashreplace"), page.status, media_type="application/json")

    def _go(self, http: HttpRequest, go: Go) -> Response:
        mark = "&" if "?" in go.to else "?"
        response = RedirectResponse(f"{go.to}{mark}said={go.said}" if go.said else go.to, 303)
        if go.cookie is not None:
            response.set_cookie(
                COOKIE, go.cookie, max_age=_MONTH_SECONDS if go.cookie else 0, path="/", httponly=True,
                samesite="strict", secure=http.url.scheme == "https",
            )  # fmt: skip
        return response


def address_of(http: HttpRequest) -> str:
    """The server as the visitor calls it; its Host was checked before."""
    return f"{http.url.scheme}://{http.headers.get('host', '')}"


def _plain(value: Any) -> Any:
    if isinstance(value, Result):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
