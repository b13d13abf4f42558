# One image for every process; the command says which: `worker`, `trainer`, `topics create`, …
FROM python:3.11.14-slim-bookworm AS build

WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python -m venv /opt/shoal \
 && /opt/shoal/bin/pip install --no-cache-dir --require-hashes \
      -r requirements.lock -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY features features
COPY segments segments
COPY producer producer
COPY consumer consumer
COPY shoal shoal
RUN /opt/shoal/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11.14-slim-bookworm

RUN useradd --system --uid 10001 --create-home shoal
COPY --from=build /opt/shoal /opt/shoal
ENV PATH=/opt/shoal/bin:$PATH PYTHONUNBUFFERED=1
USER shoal
WORKDIR /home/shoal

# Healthy = Kafka and Redis answer, topics and stored state fit, nothing is misconfigured.
HEALTHCHECK --interval=30s --timeout=15s --start-period=30s --retries=3 CMD ["shoal", "doctor", "--json"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["shoal"]
CMD ["run"]
