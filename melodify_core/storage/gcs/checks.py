"""What is looked at, and fixed, before the bot starts: the permissions, the lifecycle rules, the signing of links."""

from contextlib import suppress

from google.api_core import exceptions as api

from melodify_core.config.settings import Gcs
from melodify_core.google import CONSOLE
from melodify_core.storage.gcs import links, rules
from melodify_core.storage.gcs.calls import Deadline
from melodify_core.storage.gcs.client import Bucket
from melodify_core.storage.gcs.errors import ACCOUNTS, BUCKET_ROLE, is_denied, lacking


def probe(bucket: Bucket, name: str, by: Deadline) -> list[str]:
    """Write, read and delete the object; return the permissions that are lacking. Raises the SDK's errors."""
    blob = bucket.open().blob(name)
    lacks = []
    try:
        blob.upload_from_string(b"melodify check", content_type="text/plain", **by.once)
    except api.Forbidden as error:
        if not is_denied(error):
            raise
        lacks.append("storage.objects.create")
    for permission, attempt in (("storage.objects.get", blob.reload), ("storage.objects.delete", blob.delete)):
        try:
            with suppress(api.NotFound):  # it could not be written
                attempt(**by.once)
        except api.Forbidden:
            lacks.append(permission)
    return lacks


def lifecycle_advice(bucket: Bucket, settings: Gcs, by: Deadline) -> list[str]:
    """Return one sentence for each prefix that no rule clears as the settings want it. Raises the SDK's errors."""
    try:
        present = rules.fetch(bucket.open(), by)
    except api.Forbidden as error:
        if not is_denied(error):
            raise
        return [lacking(settings, ["storage.buckets.get"], BUCKET_ROLE) + " Only its lifecycle rules cannot be seen."]
    days = rules.wanted(settings)
    return [
        f"gcs.bucket: nothing deletes gs://{settings.bucket}/{prefix} after {days[prefix]} days: run "
        f"`melodify check --fix` or see {CONSOLE}/storage/browser/{settings.bucket};tab=lifecycle."
        for prefix in rules.missing(present, days)
    ]


def link_advice(bucket: Bucket, iam: str, by: Deadline) -> list[str]:
    """Return a sentence when songs that are too large for Discord could not be handed out as a link."""
    try:
        if links.signed(bucket, bucket.open().blob("checks/link"), "link.mp3", 1, iam, by):
            return []
    except api.Forbidden:
        sentence = (
            "gcs.key_file: this machine's service account may not sign links to large songs: give it the role Service "
            "Account Token Creator (roles/iam.serviceAccountTokenCreator) on itself and enable the IAM Credentials "
            f"API at {CONSOLE}/apis/library/iamcredentials.googleapis.com."
        )
        return [sentence]
    sentence = (
        "gcs.key_file: a person's login cannot sign links, so large songs have none: name a service account's key "
        f"file. Keys are made at {ACCOUNTS}."
    )
    return [sentence]


def fix(bucket: Bucket, settings: Gcs, by: Deadline) -> list[str]:
    """Install the rules where they are missing; return what was changed. Raises the SDK's errors."""
    opened = bucket.open()
    present = rules.fetch(opened, by)
    changed = rules.changes(present, settings)
    if changed:
        rules.store(opened, rules.fixed(present, rules.wanted(settings)), by)
    return changed
