# The first stage builds and installs packages; the second has only what runs. The digest is that of python:3.13-slim for
# all architectures (3.13.15). `docker buildx imagetools inspect python:3.13-slim` prints a newer one, for both lines.
FROM python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b AS build
WORKDIR /src
# What runs, and FluidR3 (MIT), the embedded composer's better font; "image-full" adds Google Cloud and the extra hints.
ARG PROVIDERS=image
# hadolint ignore=DL3008
RUN apt-get update && apt-get install -y --no-install-recommends binutils fluid-soundfont-gm
COPY requirements-run.txt requirements-image.txt requirements-build.txt requirements-uv.txt pyproject.toml README.md ./
COPY deploy/install.py deploy/slim.py deploy/
COPY bot bot
COPY melodify_core melodify_core
RUN python deploy/install.py "$PROVIDERS" --into /opt/melodify
RUN /opt/melodify/bin/python -B deploy/slim.py \
    /opt/melodify /usr/share/sounds/sf2/FluidR3_GM.sf2 /opt/share/sounds/sf2/FluidR3_GM.sf2 \
 && install -D -t /opt/share/doc/fluid-soundfont-gm /usr/share/doc/fluid-soundfont-gm/copyright

FROM python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b
# ca-certificates: openai's client trusts the system's store.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt \
 && useradd --create-home --uid 10001 melodify \
 && install -d -o melodify -g melodify /data
COPY --from=build /opt/share /usr/share
COPY --from=build /opt/melodify /opt/melodify
ENV PATH=/opt/melodify/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPYCACHEPREFIX=/opt/melodify/bytecode \
    MELODIFY_DATABASE__URL=sqlite:////data/melodify.db \
    MELODIFY_FOLDER__PATH=/data/files \
    MELODIFY_OPS__PORT=9464
# The number, so that an orchestrator can see that it is not root.
USER 10001
# No VOLUME: if /data was forgotten, it would create a nameless volume, and the songs would be gone before anybody notices.
# With --read-only the program says at its start that it cannot write there.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9464/livez', timeout=4)"]
# SIGTERM drains: running jobs get work.drain_s seconds (20), a paid call lyria.deadline_s (180) and 15. Give the
# container a few seconds more.
STOPSIGNAL SIGTERM
CMD ["melodify", "run"]
