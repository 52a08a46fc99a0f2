FROM python:3.12-slim
WORKDIR /app
COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY sweep sweep
COPY study_configs study_configs
RUN pip install --no-cache-dir --no-deps . && useradd --create-home sweep && mkdir -p /home/sweep/runs /artifacts && chown sweep /home/sweep/runs /artifacts
USER sweep
CMD ["sweep", "--help"]
