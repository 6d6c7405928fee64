# One image for all processes. Commands: platform (all in one, the default), web, worker, hub, migrate.
#
#   docker build -t platform-manager .
#   docker run --rm platform-manager web
#
# docs/running.md says which settings, volumes and ports each of them needs. The base images can be replaced:
# the Python one has to be a Debian 13 or newer, whose docker-cli knows "stack deploy --detach".
ARG NODE_IMAGE=node:22-slim
ARG PYTHON_IMAGE=python:3.13-slim-trixie

# The browser's files.
FROM ${NODE_IMAGE} AS browser
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts

# Python packages, as pinned.
FROM ${PYTHON_IMAGE} AS packages
COPY requirements/base.txt /build/requirements.txt
RUN python3 -m venv /venv && /venv/bin/pip install --no-cache-dir --only-binary :all: -r /build/requirements.txt

# The application, with those of the browser's files that it serves. The check fails where one of their folders is
# missing; it makes secret files in PM_VAR, which must not get into the image.
FROM packages AS application
COPY manage.py LICENSE /app/
COPY platform_manager /app/platform_manager
COPY dashboard /app/dashboard
COPY templates /app/templates
COPY static /app/static
COPY --from=browser /build/node_modules/@tabler/core/dist /app/node_modules/@tabler/core/dist
COPY --from=browser /build/node_modules/@tabler/icons-webfont/dist /app/node_modules/@tabler/icons-webfont/dist
COPY --from=browser /build/node_modules/htmx.org/dist /app/node_modules/htmx.org/dist
RUN PM_VAR=/tmp/var /venv/bin/python /app/manage.py check --fail-level WARNING \
    && /venv/bin/python -m compileall -q /app/platform_manager /app/dashboard

FROM ${PYTHON_IMAGE}
# The Docker CLI deploys stacks; there is no engine in the image.
RUN apt-get update \
    && apt-get install -y --no-install-recommends docker-cli \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /var/lib/platform-manager platform \
    && install -d -m 700 -o platform -g platform /var/lib/platform-manager
COPY --from=packages /venv /venv
COPY --from=application /app /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PM_VAR=/var/lib/platform-manager \
    PM_LISTEN=0.0.0.0:8000 \
    PM_HUB_LISTEN=0.0.0.0:2222
WORKDIR /app
USER platform
VOLUME /var/lib/platform-manager
EXPOSE 8000 2222
# For web and platform; worker and hub serve no pages and are run with --no-healthcheck.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s CMD ["python", "-c", "\
import http.client, os\n\
port = int(os.environ['PM_LISTEN'].split(',')[0].rpartition(':')[2])\n\
host = os.environ.get('PM_ALLOWED_HOSTS', '').split(',')[0].strip() or 'localhost'\n\
web = http.client.HTTPConnection('127.0.0.1', port, timeout=4)\n\
web.request('GET', '/healthz', headers={'Host': host, 'X-Forwarded-Proto': 'https'})\n\
raise SystemExit(web.getresponse().status != 200)\n"]
ENTRYPOINT ["python", "manage.py"]
CMD ["platform"]
