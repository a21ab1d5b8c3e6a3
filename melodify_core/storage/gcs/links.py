"""Addresses under which anybody can download an object for some time: signed (V4), or plain on a local server.

A key file signs here. Without one, IAM signs with a key that Google rotates: such a signature is sure for 12 hours only
(https://cloud.google.com/storage/docs/access-control/signed-urls).
"""

import base64
import time
from datetime import timedelta
from functools import partial
from urllib.parse import quote

from google.api_core.exceptions import from_http_response
from google.auth.credentials import AnonymousCredentials, Credentials, Signing
from google.auth.transport.requests import AuthorizedSession, Request
from google.cloud import storage
from google.oauth2 import service_account

from melodify_core.models import Link
from melodify_core.storage.file_names import disposition
from melodify_core.storage.gcs.calls import Deadline
from melodify_core.storage.gcs.client import Bucket

KEYLESS_HOURS = 12
IAM = "https://iamcredentials.googleapis.com"


class IamSigner(Signing):
    """Signs as a service account whose key only Google has.

    Not google.auth.iam.Signer: it has no deadline, repeats by itself, and calls every refusal a fault of the network.
    """

    def __init__(self, session: AuthorizedSession, email: str, iam: str, deadline: Deadline) -> None:
        self._session = session
        self._email = email
        self._iam = iam
        self._deadline = deadline

    @property
    def signer_email(self) -> str:
        """Return the service account."""
        return self._email

    @property
    def signer(self) -> object:
        """Return None: `sign_bytes` asks by itself."""
        return None

    def sign_bytes(self, message: bytes) -> bytes:
        """Return the signature. Raises the SDK's error for a status other than 200."""
        answer = self._session.post(
            f"{self._iam}/v1/projects/-/serviceAccounts/{quote(self._email)}:signBlob",
            json={"payload": base64.b64encode(message).decode()},
            timeout=self._deadline.timeout_s,
        )
        if not answer.ok:
            raise from_http_response(answer)
        return base64.b64decode(answer.json()["signedBlob"])


def signed(bucket: Bucket, blob: storage.Blob, file_name: str, hours: int, iam: str, deadline: Deadline) -> Link | None:
    """Return a link to the object that lives `hours`, or as long as its signature is sure; None for a person's login.

    Raises the SDK's errors.
    """
    credentials = bucket.credentials
    if isinstance(credentials, AnonymousCredentials):
        return _unsigned(blob, file_name, hours)
    signer: Signing | None = credentials if isinstance(credentials, service_account.Credentials) else None
    if signer is None:
        email = _account(credentials, deadline)
        if not email:
            return None
        signer = IamSigner(bucket.session, email, iam, deadline)
        hours = min(hours, KEYLESS_HOURS)
    expires_at = int(time.time()) + hours * 3600
    url = blob.generate_signed_url(
        version="v4",
        expiration=timedelta(hours=hours),
        credentials=signer,
        response_disposition=disposition(file_name),
    )
    return Link(url, expires_at)


def _account(credentials: Credentials, deadline: Deadline) -> str:
    """Return the e-mail address of the service account; "" for a person's login."""
    if not credentials.valid:  # the metadata server sends the address together with the token
        credentials.refresh(partial(Request(), timeout=deadline.timeout_s))
    return getattr(credentials, "service_account_email", "") or ""


def _unsigned(blob: storage.Blob, file_name: str, hours: int) -> Link:
    url = (
        f"{blob.client.api_endpoint}/storage/v1{blob.path}?alt=media"
        f"&response-content-disposition={quote(disposition(file_name), safe='')}"
    )
    return Link(url, int(time.time()) + hours * 3600)
