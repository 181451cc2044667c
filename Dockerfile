# Plainsky in a container: one folder, /data, holds config.toml, the keys and the SQLite file.
#
#   docker build -t plainsky .
#   docker run -v plainsky:/data -p 3000:3000 plainsky
#
# Write /data/config.toml first (`docker run -it -v plainsky:/data plainsky init`), with listen = "0.0.0.0" in it.

FROM python:3.13-slim AS build
WORKDIR /src
# What changes seldom comes first, so that a change of ours downloads nothing again.
COPY requirements-postgres.lock ./
RUN python -m venv /app
RUN /app/bin/python -m pip install --no-cache-dir --no-deps --require-hashes -r requirements-postgres.lock
COPY pyproject.toml README.md LICENSE config.example.toml ./
COPY feedgen feedgen
COPY labeler labeler
COPY models models
COPY plainsky plainsky
RUN /app/bin/python -m pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --create-home --home-dir /data --uid 10001 plainsky
COPY --from=build /app /app
USER plainsky
WORKDIR /data
VOLUME /data
EXPOSE 3000
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:3000/_health', timeout=8)"]
ENTRYPOINT ["plainsky"]
CMD ["run", "/data/config.toml"]
