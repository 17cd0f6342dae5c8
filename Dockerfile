# One image for the server and for the agent:
#   docker build -t procession:0.1.0 .
#   docker run ... procession:0.1.0 serve | agent | ps | ...
# docs/agent-running.md has the line for the agent, which has to see the host.

FROM node:24-slim AS page
WORKDIR /build/web
COPY web ./
RUN npm ci --silent && npm run --silent build

FROM python:3.11-slim AS build
WORKDIR /build
COPY requirements.lock ./
RUN python -m venv /opt/procession \
    && /opt/procession/bin/pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
COPY --from=page /build/src/procession/server/page ./src/procession/server/page
RUN /opt/procession/bin/pip install --no-cache-dir --no-deps --no-build-isolation --no-index .

FROM python:3.11-slim
COPY --from=build /opt/procession /opt/procession
RUN groupadd --gid 7171 procession \
    && useradd --uid 7171 --gid 7171 --no-create-home --home-dir /var/lib/procession procession \
    && install --directory --mode 0700 --owner procession --group procession \
       /var/lib/procession /var/lib/procession-agent
ENV PATH=/opt/procession/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PROCESSION_LISTEN=0.0.0.0:7171 \
    PROCESSION_DATA_DIR=/var/lib/procession \
    PROCESSION_SPOOL_DIR=/var/lib/procession-agent
USER procession
VOLUME ["/var/lib/procession"]
EXPOSE 7171
ENTRYPOINT ["procession"]
CMD ["serve"]
