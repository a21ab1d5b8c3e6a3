"""The song page's web application: its routes, and the short pages that say why there is no song."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.web.lookup import Lookup
from bot.web.media import NAMES, Files, Media
from bot.web.progress import ProgressStreams
from bot.web.rendering import Renderer, title_of
from bot.web.responses import add_static_files, set_tag
from bot.web.videos import Videos
from bot.web.visitors import RateLimit, language_of, visitor_address
from melodify_core.config.settings import Web
from melodify_core.errors import Unavailable
from melodify_core.models import Language
from melodify_core.pages import ID_PATTERN, Page, Pages, address_of
from melodify_core.services.songs import SongService

# The catalogue's sentence for a status; 410 names its own.
_SENTENCES = {404: "missing", 429: "busy", 503: "unavailable"}


class Site:
    """Answers requests under `settings.public_url`."""

    def __init__(
        self, pages: Pages, storage: Files, settings: Web, videos: SongService | None = None, invite: str = ""
    ) -> None:
        self._settings = settings
        self._limit = RateLimit(settings.requests_per_minute)
        self._lookup = Lookup(pages, storage, videos=videos is not None)
        made = Videos(videos) if videos else None
        self._media = Media(storage, settings, made)
        self._progress = ProgressStreams(pages, settings)
        self.app = web.Application(middlewares=[self._explain])
        prefix = urlsplit(settings.public_url).path
        self._renderer = Renderer(settings.public_url, prefix, add_static_files(self.app, prefix), invite)
        page = f"{prefix}/s/{{page_id:{ID_PATTERN}}}"
        self.app.router.add_get(page, self._show)
        self.app.router.add_get(f"{page}/events", self._follow)
        self.app.router.add_get(f"{page}/notes.json", self._send_notes)
        self.app.router.add_get(f"{page}/{{name:{NAMES}}}", self._send_file)
        for home in {f"{prefix}/", prefix or "/"}:
            self.app.router.add_get(home, self._greet)
        self.app.router.add_get(f"{prefix}/oembed", self._describe)
        self.app.on_shutdown.append(self._progress.stop)
        if made:
            self.app.on_cleanup.append(made.stop)

    def count(self, request: web.BaseRequest) -> None:
        """Count a request of its address. Raises HTTPTooManyRequests when it is one too many."""
        self._limit.take(visitor_address(request, self._settings))

    @web.middleware
    async def _explain(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request in, and turn what is raised into a short page that says why."""
        try:
            self.count(request)
            if request.body_exists:
                raise web.HTTPRequestEntityTooLarge(max_size=0, actual_size=request.content_length or 1)
            return await handler(request)
        except web.HTTPException as error:
            refusal = error
        except Unavailable:
            refusal = web.HTTPServiceUnavailable(headers={"Retry-After": "5"})
        if request.writer.output_size:
            # The length has been promised: only a broken connection says that it is wrong.
            raise ConnectionResetError
        language = language_of(request)
        key = refusal.reason if refusal.status == 410 else _SENTENCES.get(refusal.status, "refused")
        response = _page(self._renderer.notice(key, language), language, refusal.status)
        for name in {"Allow", "Retry-After"} & refusal.headers.keys():
            response.headers[name] = refusal.headers[name]
        if request.body_exists:
            response.force_close()
        return response

    async def _greet(self, request: web.Request) -> web.Response:
        language = language_of(request)
        return _page(self._renderer.home(language), language)

    async def _show(self, request: web.Request) -> web.StreamResponse:
        page = await self._find(request)
        language = language_of(request, page.language)
        if page.song is None:
            return _page(self._renderer.making(page, language), language)
        html = self._renderer.song(page, language)
        response = _page(html, language)
        response.headers.update({"Cache-Control": "no-cache", "Vary": "Accept-Language"})
        set_tag(request, response, html)
        return response

    async def _follow(self, request: web.Request) -> web.StreamResponse:
        page = await self._find(request)
        return await self._progress.answer(request, page.page_id)

    async def _send_file(self, request: web.Request) -> web.StreamResponse:
        page = await self._find(request)
        return await self._media.answer(request, page, request.match_info["name"])

    async def _send_notes(self, request: web.Request) -> web.StreamResponse:
        page = await self._find(request)
        return await self._media.notes(request, page, language_of(request, page.language))

    async def _find(self, request: web.Request) -> Page:
        page = await self._lookup.page(request.match_info["page_id"])
        if page is None:
            raise web.HTTPNotFound
        if page.deleted:
            raise web.HTTPGone(reason="deleted")
        if page.song is None and page.stage is None:
            raise web.HTTPGone(reason="failed")
        return page

    async def _describe(self, request: web.Request) -> web.Response:
        """Describe a song's page to a program that unfolds links (oembed.com)."""
        public_url, asked = self._settings.public_url, request.query
        if asked.get("format", "json") != "json":
            raise web.HTTPNotImplemented
        found = re.fullmatch(rf"{re.escape(public_url)}/s/({ID_PATTERN})(\?[^\s#]*)?", asked.get("url", ""))
        page = await self._lookup.page(found[1]) if found else None
        if page is None or page.deleted or page.song is None:
            raise web.HTTPNotFound
        described: dict[str, str | int] = {
            "version": "1.0",
            "type": "link",
            "title": title_of(page.song, language_of(request, page.language)),
            "provider_name": "Melodify",
            "provider_url": public_url,
            "cache_age": 3600,
        }
        width, height = page.picture_width, page.picture_height
        # The picture has one size: where it is larger than is asked for, there is none.
        fits = width <= _most(asked, "maxwidth", width) and height <= _most(asked, "maxheight", height)
        if page.picture_key and not page.spoiler and width and height and fits:
            url = f"{address_of(public_url, page.page_id)}/picture.jpg"
            described |= {"thumbnail_url": url, "thumbnail_width": width, "thumbnail_height": height}
        return web.json_response(described)


def _most(asked: Mapping[str, str], name: str, otherwise: int) -> int:
    """Return the number that is asked for; an invalid one does not count."""
    digits = asked.get(name, "")
    return int(digits[:9]) if digits.isascii() and digits.isdigit() else otherwise


def _page(html: str, language: Language, status: int = 200) -> web.Response:
    return web.Response(text=html, content_type="text/html", status=status, headers={"Content-Language": language})
