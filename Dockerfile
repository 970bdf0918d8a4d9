# One image with the three programs; docker-compose.yml says which one a container runs. Debian packages only.
FROM debian:bookworm-slim AS build
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
WORKDIR /trivet
COPY tools/say.sh tools/packages.sh tools/
RUN source tools/packages.sh && apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${BUILD_PACKAGES[@]}" >/dev/null \
    && rm -rf /var/lib/apt/lists/*
COPY . .
RUN cmake -B build -G Ninja -DTRIVET_TESTS=OFF -DCMAKE_INSTALL_PREFIX=/usr/local \
    && cmake --build build && DESTDIR=/out cmake --install build --strip \
    && install -m 755 tools/load-ratings tools/retrain /out/usr/local/bin/

FROM debian:bookworm-slim
SHELL ["/bin/bash", "-euo", "pipefail", "-c"]
COPY tools/say.sh tools/packages.sh /tmp/tools/
RUN source /tmp/tools/packages.sh && apt-get update -qq \
    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${RUNTIME_PACKAGES[@]}" >/dev/null \
    && rm -rf /var/lib/apt/lists/* /tmp/tools && useradd --system --no-create-home trivet
COPY --from=build /out /
USER trivet
EXPOSE 5001
CMD ["trivet-serve"]
