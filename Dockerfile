# Lendwire as an image: small, without a compiler, and never root.
#
#   docker build -t lendwire .
#   docker run --rm -p 8000:8000 -v lendwire:/data lendwire            (embedded PostgreSQL and Valkey)
#   docker compose up                                                  (servers of their own, compose.yaml)

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
RUN python -m venv /opt/lendwire
WORKDIR /src
# The dependencies change seldom, so they make a layer of their own. Wheels only: nothing is compiled.
COPY requirements.txt ./
RUN /opt/lendwire/bin/pip install --require-hashes --only-binary :all: -r requirements.txt
COPY . .
RUN /opt/lendwire/bin/pip install --no-deps --no-build-isolation . \
 && /opt/lendwire/bin/pip uninstall --yes setuptools pip

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --home-dir /data --shell /usr/sbin/nologin lendwire \
 && install --directory --owner lendwire --group lendwire --mode 700 /data
COPY --from=build /opt/lendwire /opt/lendwire
ENV PATH=/opt/lendwire/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    LENDWIRE_HOME=/data
USER lendwire
WORKDIR /data
VOLUME /data
EXPOSE 8000
# Live, not ready: a container whose database is away must not be killed for it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=3 CMD ["python", "-c", \
  "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('PORT', '8000') + '/health/live', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["lendwire"]
CMD ["serve"]
