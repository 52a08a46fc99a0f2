FROM python:3.12-slim@sha256:78387bc3881b8273120a12ebe6c1ab22b018ccc2c9adf565ae1ac9b536e184ea
ENV PYTHONUNBUFFERED=1 SWEEP_HOME=/home/sweep/runs
WORKDIR /app
RUN useradd --create-home --uid 1000 sweep \
    && install --directory --owner=sweep --group=sweep /home/sweep/runs /artifacts
COPY requirements.image.lock .
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements.image.lock
COPY pyproject.toml README.md LICENSE ./
COPY sweep sweep
RUN pip install --no-cache-dir --no-deps .
COPY study_configs study_configs
USER sweep
CMD ["sweep", "--help"]
