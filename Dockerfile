# Two stages: packages are built and installed in the first, the second carries only what runs.
FROM python:3.13-slim AS build
WORKDIR /src
COPY requirements-run.txt pyproject.toml README.md ./
COPY bot bot
COPY melodify_core melodify_core
RUN python -m venv /opt/melodify \
 && /opt/melodify/bin/pip install --no-cache-dir --require-hashes -r requirements-run.txt \
 && /opt/melodify/bin/pip install --no-cache-dir --no-deps .

FROM python:3.13-slim
# ca-certificates: openai's client trusts the system's store.
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 melodify \
 && install -d -o melodify -g melodify /data
COPY --from=build /opt/melodify /opt/melodify
ENV PATH=/opt/melodify/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    MELODIFY_DATABASE__URL=sqlite:////data/melodify.db \
    MELODIFY_FOLDER__PATH=/data/files
USER melodify
VOLUME /data
# SIGTERM drains: running jobs get work.drain_s seconds (20), so give the container a few more.
STOPSIGNAL SIGTERM
CMD ["melodify", "run"]
