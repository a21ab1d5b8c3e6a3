"""The song page's web application: where a request leads, and what it must bring to be let in."""

import re
from http import HTTPStatus
from urllib.parse import urlsplit

from aiohttp import web

from bot.web.addresses import Allowance, visitor
from bot.web.etags import is_known
from bot.web.extras import Extras
from bot.web.headers import Headers
from bot.web.language import language_of
from bot.web.lookup import Lookup
from bot.web.media import NAMES, Files, Media, VideoRenderer
from bot.web.notices import Notice, missing, unavailable
from bot.web.oembed import described
from bot.web.progress import ProgressStreams
from bot.web.rendering import Document, Renderer
from bot.web.statics import Statics
from melodify_core.config.settings import Web
from melodify_core.errors import Unavailable
from melodify_core.pages import ID_PATTERN, Page, Pages


class Site:
    """Answers requests under `settings.public_url`.

    It stands on aiohttp's server alone, not on its Application: that costs a third of a cached page's time for routes
    that fit in one expression, and writes what strangers send into answers of its own.
    """

    def __init__(self, pages: Pages, storage: Files, settings: Web, videos: VideoRenderer | None = None) -> None:
        prefix = urlsplit(settings.public_url).path
        headers = Headers(settings.public_url)
        self._settings = settings
        self._paths = _paths(prefix)
        self._allowance = Allowance(settings.requests_per_minute)
        self._lookup = Lookup(pages, Extras(storage, videos=videos is not None))
        self._statics = Statics(prefix, headers)
        self._renderer = Renderer(settings.public_url, prefix, self._statics, headers)
        self._media = Media(storage, settings, headers, videos)
        self._progress = ProgressStreams(pages, settings, headers)
        self._headers = headers

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer with what was asked for, or with a short page that says why not."""
        try:
            self._admit(request)
            return await self._routed(request)
        except Notice as error:
            notice = error
        except Unavailable:
            notice = unavailable()
        document = self._renderer.notice(notice.key, language_of(request))
        answer = _sent(document, notice.status)
        answer.headers.update(notice.headers)
        if request.body_exists:
            answer.force_close()
        return answer

    def count(self, request: web.BaseRequest) -> None:
        """Count a request of its address. Raises Notice when it is one too many."""
        self._allowance.take(visitor(request, self._settings))

    def stop(self) -> None:
        """End what would go on for long."""
        self._progress.stop()

    def _admit(self, request: web.BaseRequest) -> None:
        self.count(request)
        if request.body_exists:
            raise Notice(413, "refused")

    async def _routed(self, request: web.BaseRequest) -> web.StreamResponse:
        found = self._paths.fullmatch(request.rel_url.path_safe)
        if found is None:
            raise missing()
        if request.method not in ("GET", "HEAD"):
            raise Notice(405, "refused", Allow="GET, HEAD")
        page_id, name, static = found.groups()
        if static is not None:
            return self._statics.answer(static)
        if page_id is None:
            return await self._oembed(request)
        page = await self._page(page_id)
        if name is None:
            return self._show(request, page)
        if name == "events":
            return await self._progress.answer(request, page_id)
        return await self._media.answer(request, page, name)

    def _show(self, request: web.BaseRequest, page: Page) -> web.Response:
        language = language_of(request, page.language)
        if page.song is None:
            return _sent(self._renderer.making(page, language))
        document = self._renderer.song(page, language)
        if is_known(request, document.headers["ETag"]):
            return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=document.headers)
        return _sent(document)

    async def _oembed(self, request: web.BaseRequest) -> web.Response:
        if request.query.get("format", "json") != "json":
            raise Notice(501, "refused")
        start, asked = self._renderer.address(""), request.query.get("url", "")
        found = re.fullmatch(rf"{re.escape(start)}({ID_PATTERN})(\?[^\s#]*)?", asked)
        page = await self._lookup.page(found[1]) if found else None
        if page is None or page.deleted or page.song is None:
            raise missing()
        told = described(page, page.song, self._settings.public_url, language_of(request, page.language), request.query)
        return web.json_response(told, headers=self._headers.adding({}))

    async def _page(self, page_id: str) -> Page:
        page = await self._lookup.page(page_id)
        if page is None:
            raise missing()
        if page.deleted:
            raise Notice(410, "deleted")
        if page.song is None and page.stage is None:
            raise Notice(410, "failed")
        return page


def _paths(prefix: str) -> re.Pattern[str]:
    page = rf"s/({ID_PATTERN})(?:/(events|{NAMES}))?"
    return re.compile(rf"{re.escape(prefix)}/(?:{page}|oembed|static/([0-9a-f]{{12}}/[a-z.-]+))")


def _sent(document: Document, status: int = HTTPStatus.OK) -> web.Response:
    return web.Response(status=status, body=document.body, headers=document.headers)
