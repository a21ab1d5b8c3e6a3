"""The song page's web application: its routes, and the short pages that say why there is no song."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.web.lookup import Lookup
from bot.web.media import NAMES, Files, Media
from bot.web.oembed import oembed, page_named
from bot.web.progress import ProgressStreams
from bot.web.rendering import Renderer, title_of
from bot.web.responses import FRAMED, add_static_files, set_tag
from bot.web.videos import Videos
from bot.web.visitors import RateLimit, language_of, visitor_address
from melodify_core.config.settings import Web
from melodify_core.errors import Unavailable
from melodify_core.models import Language
from melodify_core.pages import ID_PATTERN, Page, Pages
from melodify_core.services.songs import SongService

FRAME = "embed"  # the route of the player that other sites may show
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
        self.app.router.add_get(f"{page}{{slash:/?}}", self._show)
        self.app.router.add_get(f"{prefix}/embed/{{page_id:{ID_PATTERN}}}{{slash:/?}}", self._show, name=FRAME)
        self.app.router.add_get(f"{page}/events", self._on_page(self._progress.answer))
        self.app.router.add_get(f"{page}/notes.json", self._on_page(self._media.notes))
        self.app.router.add_get(f"{page}/{{name:{NAMES}}}", self._on_page(self._media.answer))
        for home in {f"{prefix}/", prefix or "/"}:
            self.app.router.add_get(home, self._greet)
        self._oembed = f"{prefix}/oembed"  # programs ask here: they get no page that says why
        self.app.router.add_get(self._oembed, self._describe)
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
            # A method that is not allowed is the better reason. No body is read in either case.
            if request.body_exists and not isinstance(request.match_info.http_exception, web.HTTPMethodNotAllowed):
                raise web.HTTPRequestEntityTooLarge(max_size=0, actual_size=request.content_length or 1)
            return await handler(request)
        except web.HTTPException as error:
            refusal = error
        except Unavailable:
            refusal = web.HTTPServiceUnavailable(headers={"Retry-After": "5"})
        if request.writer.output_size:
            # The length has been promised: only a broken connection says that it is wrong.
            raise ConnectionResetError
        if request.path == self._oembed:
            response = web.Response(text=f"{refusal.status}: {refusal.reason}\n", status=refusal.status)
        else:
            response = self._notice(request, refusal)
        for name in {"Allow", "Retry-After"} & refusal.headers.keys():
            response.headers[name] = refusal.headers[name]
        if request.body_exists:
            response.force_close()
        return response

    def _notice(self, request: web.Request, refusal: web.HTTPException) -> web.Response:
        language = language_of(request)
        key = refusal.reason if refusal.status == 410 else _SENTENCES.get(refusal.status, "refused")
        return _page(request, self._renderer.notice(key, language), language, refusal.status)

    async def _greet(self, request: web.Request) -> web.Response:
        language = language_of(request)
        return _page(request, self._renderer.home(await self._lookup.on_show(), language), language)

    async def _show(self, request: web.Request) -> web.StreamResponse:
        page = await self._find(request)
        language = language_of(request, page.language)
        if page.song is None:
            return _page(request, self._renderer.making(page, language), language)
        html = (self._renderer.embed if _is_framed(request) else self._renderer.song)(page, language)
        response = _page(request, html, language)
        response.headers.update({"Cache-Control": "no-cache", "Vary": "Accept-Language"})
        set_tag(request, response, html)
        return response

    def _on_page(self, answer: Callable[[web.Request, Page], Awaitable[web.StreamResponse]]) -> Handler:
        async def answered(request: web.Request) -> web.StreamResponse:
            return await answer(request, await self._find(request))

        return answered

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
        """Describe a song's page to a program that unfolds links."""
        if request.query.get("format", "json") != "json":
            raise web.HTTPNotImplemented
        page_id = page_named(request.query.get("url", ""), self._settings.public_url)
        page = await self._lookup.page(page_id) if page_id else None
        if page is None or page.deleted or page.song is None:
            raise web.HTTPNotFound
        title = title_of(page.song, language_of(request, page.language))
        return web.json_response(oembed(page, title, self._settings.public_url, request.query))


def _is_framed(request: web.Request) -> bool:
    """Return whether another site may show the answer in a frame."""
    return request.match_info.route.name == FRAME


def _page(request: web.Request, html: str, language: Language, status: int = 200) -> web.Response:
    headers = {"Content-Language": language} | (FRAMED if _is_framed(request) else {})
    return web.Response(text=html, content_type="text/html", status=status, headers=headers)
