"""The web application: its routes, and what happens to every request before and after them."""

import re
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

from aiohttp import web

from bot.web import headers
from bot.web.addresses import Allowance, visitor
from bot.web.etags import is_known
from bot.web.extras import Extras
from bot.web.language import language_of
from bot.web.lookup import Lookup
from bot.web.media import NAMES, Files, Media
from bot.web.notices import Notice, missing, of_http, unavailable
from bot.web.progress import ProgressStreams
from bot.web.rendering import Document, Renderer, title_of
from bot.web.statics import Statics
from melodify_core.errors import Unavailable
from melodify_core.pages import ID_PATTERN, Page, Pages
from melodify_core.settings import Web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SITE = "Melodify"


def make_app(pages: Pages, storage: Files, settings: Web) -> web.Application:
    """Return the application, ready to be served under `settings.public_url`."""
    prefix = urlsplit(settings.public_url).path
    statics = Statics(prefix)
    site = _Site(pages, storage, settings, Renderer(settings.public_url, prefix, statics))
    app = web.Application(middlewares=[site.explain, site.admit])
    song = f"{prefix}/s/{{page_id:{ID_PATTERN}}}"
    app.router.add_get(song, site.show)
    app.router.add_get(f"{song}/events", site.follow)
    app.router.add_get(f"{song}/{{name:{NAMES}}}", site.media)
    app.router.add_get(f"{prefix}/oembed", site.oembed)
    app.router.add_get(f"{prefix}/static/{{version:[0-9a-f]{{12}}}}/{{name:[a-z.-]+}}", statics.answer)
    app.on_response_prepare.append(headers.adder(settings.public_url))
    app.on_shutdown.append(site.progress.stop)
    return app


class _Site:
    def __init__(self, pages: Pages, storage: Files, settings: Web, renderer: Renderer) -> None:
        self._lookup = Lookup(pages, Extras(storage))
        self._media = Media(storage, settings)
        self._settings = settings
        self._renderer = renderer
        self._allowance = Allowance(settings.requests_per_minute)
        self.progress = ProgressStreams(pages, settings)

    async def show(self, request: web.Request) -> web.Response:
        """Show the song, or how far it is."""
        page = await self._page(request)
        language = language_of(request, page.language)
        if page.song is None:
            return _answer(self._renderer.making(page, language), {})
        document = self._renderer.song(page, language)
        kept = {"ETag": document.etag, "Cache-Control": "no-cache", "Vary": "Accept-Language"}
        if is_known(request, document.etag):
            return web.Response(status=304, headers=kept)
        return _answer(document, kept)

    async def follow(self, request: web.Request) -> web.StreamResponse:
        """Tell how far the song is, as it goes on."""
        page = await self._page(request)
        return await self.progress.answer(request, page.page_id)

    async def media(self, request: web.Request) -> web.StreamResponse:
        """Send picture or sound."""
        return await self._media.answer(request, await self._page(request), request.match_info["name"])

    async def oembed(self, request: web.Request) -> web.Response:
        """Describe a page to those who unfold links (oembed.com)."""
        if request.query.get("format", "json") != "json":
            raise Notice(501, "refused")
        start, asked = self._renderer.address(""), request.query.get("url", "")
        found = re.fullmatch(rf"{re.escape(start)}({ID_PATTERN})(\?[^\s#]*)?", asked)
        page = await self._lookup.page(found[1]) if found else None
        if page is None or page.deleted or page.song is None:
            raise missing()
        described = {
            "version": "1.0",
            "type": "link",
            "title": title_of(page.song, language_of(request, page.language)),
            "provider_name": SITE,
            "provider_url": self._settings.public_url,
            "cache_age": 3600,
        }
        if page.picture_key and page.picture_width and page.picture_height:
            described["thumbnail_url"] = f"{self._renderer.address(page.page_id)}/picture.jpg"
            described["thumbnail_width"] = page.picture_width
            described["thumbnail_height"] = page.picture_height
        return web.json_response(described)

    async def _page(self, request: web.Request) -> Page:
        page = await self._lookup.page(request.match_info["page_id"])
        if page is None:
            raise missing()
        if page.deleted:
            raise Notice(410, "deleted")
        if page.song is None and page.stage is None:
            raise Notice(410, "failed")
        return page

    @web.middleware
    async def admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let a request in if its address has not had too many, and it brings nothing but itself."""
        self._allowance.take(visitor(request, self._settings))
        if request.body_exists:
            raise Notice(413, "refused", Connection="close")
        return await handler(request)

    @web.middleware
    async def explain(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Turn every refusal into a short page."""
        try:
            return await handler(request)
        except Notice as error:
            notice = error
        except web.HTTPException as error:
            notice = of_http(error)
        except Unavailable:
            notice = unavailable()
        document = self._renderer.notice(notice.key, language_of(request))
        return _answer(document, notice.headers, notice.status)


def _answer(document: Document, headers: Mapping[str, str], status: int = 200) -> web.Response:
    response = web.Response(status=status, body=document.body, content_type="text/html", charset="utf-8")
    response.headers["Content-Language"] = document.language
    response.headers.update(headers)
    return response
