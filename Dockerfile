# A host of a lab, or of the farm in docker-compose.yml: the distribution's programs and nothing of ours. The suite's own
# code is mounted from the checkout, so that no image can be out of step with it. Other base: --build-arg BASE=...
ARG BASE=debian:bookworm-slim
FROM ${BASE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends haproxy iproute2 libfaketime nftables procps \
        python3 python3-cryptography python3-impacket python3-pycryptodome python3-yaml \
    && rm -rf /var/lib/apt/lists/* \
    && for name in nginx stunnel4 keepalived_script; do useradd --system --no-create-home "$name"; done
ENV PYTHONPATH=/opt/lbcert PYTHONDONTWRITEBYTECODE=1
CMD ["sleep", "infinity"]
