"""Checks key, models and address of the settings without spending anything."""

import openai

from melodify_core.captioners.openai.moderation import KEYS_PAGE
from melodify_core.config.settings import OpenAI
from melodify_core.errors import Misconfigured


async def check_settings(client: openai.AsyncOpenAI, settings: OpenAI) -> None:
    """Raise Misconfigured with a sentence for each mistake; the SDK's other errors pass through."""
    problems = [
        await _problem_of_model(client, settings, name, model)
        for name, model in (("model", settings.model), ("fallback_model", settings.fallback_model))
        if model and (name == "model" or model != settings.model)
    ]
    found = [problem for problem in dict.fromkeys(problems) if problem]
    if found:
        raise Misconfigured(*found)


async def _problem_of_model(client: openai.AsyncOpenAI, settings: OpenAI, name: str, model: str) -> str:
    try:
        answer = await client.models.with_raw_response.retrieve(model)
    except openai.AuthenticationError:
        return _key_problem(settings)
    except openai.PermissionDeniedError:
        return _permission_problem(settings)
    except openai.NotFoundError as error:
        if settings.base_url is None or error.code == "model_not_found" or model in str(error.message):
            return f'openai.{name}: the server knows no model "{model}", or the key may not use it.'
        return await _problem_of_address(client, settings)
    except openai.APIStatusError as error:
        if error.status_code == 429 or error.status_code >= 500:
            raise
        # Some servers reject this kind of request: check the address in another way.
        return await _problem_of_address(client, settings)
    return "" if answer.content.lstrip().startswith(b"{") else _address_problem(settings)


async def _problem_of_address(client: openai.AsyncOpenAI, settings: OpenAI) -> str:
    """Send an empty request, which every server of the API rejects: only a wrong address answers 404 or 405."""
    path = "/responses" if settings.api == "responses" else "/chat/completions"
    try:
        await client.post(path, cast_to=object, body={})
    except (openai.NotFoundError, openai.APIStatusError) as error:
        return _address_problem(settings) if error.status_code in (404, 405) else ""
    return ""


def _key_problem(settings: OpenAI) -> str:
    where = "take the one of the server at openai.base_url" if settings.base_url else f"make one at {KEYS_PAGE}"
    return f"openai.api_key: the server does not accept the key; {where}."


def _permission_problem(settings: OpenAI) -> str:
    where = "" if settings.base_url else f" at {KEYS_PAGE}"
    return f"openai.api_key: the key lacks permission; allow it Models and Responses{where}."


def _address_problem(settings: OpenAI) -> str:
    return (
        f'openai.base_url: this address has no API like OpenAI\'s for openai.api = "{settings.api}"; '
        "most addresses end in /v1, and many servers know only chat."
    )
