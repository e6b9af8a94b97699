# `groundcrew up` in a container: everything on one machine, nothing of AWS. Linted (hadolint), never built: there is no
# container runtime where this is developed.
#
#   docker build -t groundcrew .
#   docker run --rm --network host -v groundcrew-data:/data groundcrew up
#
# With the host's network (Linux) everything is as on the machine itself: portal, console, outbox and the AWS port answer on
# its loopback. Without it, publish the port of the portal alone: `docker run --rm -p 127.0.0.1:8080:8080 …` with the command
# below. The outbox takes requests from its own machine only, so the invitations are then files in /data/outbox.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --locked --profile dist --package groundcrew --no-default-features

FROM debian:bookworm-slim
# Certificates of the authorities, for sign-in providers and for stacks on AWS.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install --yes --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home --uid 10001 groundcrew \
 && install -d -o groundcrew -g groundcrew /data
COPY --from=build /src/target/dist/groundcrew /usr/local/bin/groundcrew
USER 10001
WORKDIR /data
ENV GROUNDCREW_DATA=/data
VOLUME /data
EXPOSE 8080
# It is well if it can say how it is.
HEALTHCHECK --start-period=10s CMD ["groundcrew", "status"]
ENTRYPOINT ["groundcrew"]
# For a published port: links lead to it. The console's link is in the log, and `docker exec … groundcrew link` makes another.
CMD ["up", "--web", "0.0.0.0:8080", "--public-url", "http://localhost:8080"]
