# Two images, of the server and of the agent; the agent's has no engine and is small:
#   docker build --target server -t procession:0.1.0 .
#   docker build --target agent -t procession-agent:0.1.0 .
# Both run with a read-only root file system. docs/agent-running.md has the line for the agent, which has to see the host.

FROM node:24-slim AS page
WORKDIR /build/web
COPY web ./
RUN npm ci --silent && npm run --silent build

FROM python:3.11-slim AS build
WORKDIR /build
COPY requirements.lock requirements-agent.lock ./
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
COPY --from=page /build/src/procession/server/page ./src/procession/server/page
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --no-cache-dir --require-hashes --requirement requirements.lock \
    && /opt/build/bin/python -m hatchling build --target wheel --directory /wheel

FROM build AS build-agent
RUN python -m venv /opt/procession \
    && /opt/procession/bin/pip install --no-cache-dir --require-hashes --requirement requirements-agent.lock \
    && /opt/procession/bin/pip install --no-cache-dir --no-deps --no-index /wheel/*.whl

FROM build AS build-server
RUN python -m venv /opt/procession \
    && /opt/procession/bin/pip install --no-cache-dir --require-hashes --requirement requirements.lock \
    && /opt/procession/bin/pip install --no-cache-dir --no-deps --no-index /wheel/*.whl

FROM python:3.11-slim AS agent
COPY --from=build-agent /opt/procession /opt/procession
RUN groupadd --gid 7171 procession \
    && useradd --uid 7171 --gid 7171 --no-create-home --home-dir /var/lib/procession-agent procession \
    && install --directory --mode 0700 --owner procession --group procession /var/lib/procession-agent
ENV PATH=/opt/procession/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PROCESSION_SPOOL_DIR=/var/lib/procession-agent
USER procession
VOLUME ["/var/lib/procession-agent"]
# By what it keeps of each snapshot before it sends it: an agent whose server is away goes on, and is well.
HEALTHCHECK --interval=60s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import pathlib, sys, time; sys.exit(time.time() - max(folder.stat().st_mtime for folder in pathlib.Path('/var/lib/procession-agent').iterdir()) > 300)"]
ENTRYPOINT ["procession"]
CMD ["agent"]

FROM python:3.11-slim AS server
COPY --from=build-server /opt/procession /opt/procession
RUN groupadd --gid 7171 procession \
    && useradd --uid 7171 --gid 7171 --no-create-home --home-dir /var/lib/procession procession \
    && install --directory --mode 0700 --owner procession --group procession /var/lib/procession
ENV PATH=/opt/procession/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PROCESSION_LISTEN=0.0.0.0:7171 \
    PROCESSION_DATA_DIR=/var/lib/procession
USER procession
VOLUME ["/var/lib/procession"]
EXPOSE 7171
# By the address that the server has left there, whatever port it listens on.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import pathlib, urllib.request; urllib.request.urlopen(pathlib.Path('/var/lib/procession/address').read_text().strip() + '/healthz', timeout=4)"]
ENTRYPOINT ["procession"]
CMD ["serve"]
