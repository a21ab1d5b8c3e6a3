"""The SDK's client for one bucket, shared by all threads. It is built in the first: finding credentials blocks."""

import threading

from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.transport.requests import AuthorizedSession
from google.cloud import storage
from requests.adapters import HTTPAdapter

from melodify_core.config.settings import Gcs
from melodify_core.errors import Misconfigured
from melodify_core.google import credentials


class Bucket:
    """Opens the bucket once; a failed opening is tried anew."""

    def __init__(self, settings: Gcs, credentials: Credentials | None = None) -> None:
        self._settings = settings
        self._given = credentials
        self._opening = threading.Lock()
        self._client: storage.Client | None = None

    def open(self) -> storage.Bucket:
        """Return the bucket. Raises GoogleAuthError, and Misconfigured for a name that no bucket can have."""
        with self._opening:
            if self._client is None:
                self._client = self._connect()
            try:
                return self._client.bucket(self._settings.bucket)
            except ValueError as error:
                raise Misconfigured(f'gcs.bucket: "{self._settings.bucket}" is no name of a bucket.') from error

    @property
    def session(self) -> AuthorizedSession:
        """Return the HTTP session under the client, with its credentials."""
        session: AuthorizedSession = self.open().client._http  # noqa: SLF001  # the one we gave it
        return session

    @property
    def credentials(self) -> Credentials:
        """Return what the session signs its requests with."""
        key: Credentials = self.session.credentials
        return key

    def close(self) -> None:
        """Give the connections back."""
        if self._client is not None:
            self._client.close()

    def _connect(self) -> storage.Client:
        endpoint = str(self._settings.endpoint).rstrip("/") if self._settings.endpoint else None
        key = self._given or credentials(self._settings.key_file, endpoint)
        # Nothing can refresh anonymous credentials; a 401 stays a 401.
        codes = {"refresh_status_codes": ()} if isinstance(key, AnonymousCredentials) else {}
        session = AuthorizedSession(key, **codes)
        # max_retries=0: repeats are ours. The pool holds as many connections as there are threads.
        session.mount("http://", HTTPAdapter(pool_maxsize=self._settings.calls, max_retries=0))
        session.mount("https://", HTTPAdapter(pool_maxsize=self._settings.calls, max_retries=0))
        client = storage.Client(
            project=self._settings.project or "none",  # only needed to make or list buckets
            credentials=key,
            client_options={"api_endpoint": endpoint} if endpoint else None,
            _http=session,
        )
        # 3.17 asks for the bucket's region on its own, for telemetry that is off, with retries of its own.
        client._bucket_metadata_cache = None  # noqa: SLF001
        return client
