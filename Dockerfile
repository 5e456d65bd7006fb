# Penstock's image: built from this directory with nothing but Docker.
FROM maven:3.9-eclipse-temurin-25 AS build
WORKDIR /src
# Behind a web proxy: docker compose build passes http_proxy and https_proxy on; Maven wants them as properties.
ARG http_proxy
ARG https_proxy
COPY pom.xml ./
COPY .mvn .mvn
COPY src/main src/main
RUN --mount=type=cache,target=/root/.m2 \
    proxy=${https_proxy:-${http_proxy:-}}; proxy=${proxy#*://}; proxy=${proxy%/}; \
    if [ -n "$proxy" ]; then \
        set -- "-Dhttps.proxyHost=${proxy%:*}" "-Dhttps.proxyPort=${proxy##*:}" \
               "-Dhttp.proxyHost=${proxy%:*}" "-Dhttp.proxyPort=${proxy##*:}"; \
    fi; \
    mvn -B -ntp "$@" -Dmaven.test.skip=true -Dspotless.check.skip=true -Denforcer.skip=true -Djacoco.skip=true package
# The native transport as files: it cannot be unpacked where /tmp is not executable and the root file system read-only.
RUN mkdir /src/native && cd /src/native && for jar in /src/target/lib/netty-transport-native-epoll-*-linux-*.jar; do \
        jar xf "$jar" META-INF/native && mv META-INF/native/*.so . && rm -r META-INF; \
    done

FROM eclipse-temurin:25-jre
WORKDIR /app
COPY --from=build /src/target/lib lib
COPY --from=build /src/native native
COPY --from=build /src/target/penstock.jar penstock.jar
# For a container: a stated collector (the JVM would pick the serial one where it sees little), half the memory for the
# heap, the rest for buffers, and an end instead of a half-dead process. Ahead-of-time cache: bound to this JVM, these
# jars and these flags, so it is made here, by a rehearsal with simulated replicas.
ENV JAVA_FLAGS="-XX:+UseParallelGC -XX:MaxRAMPercentage=50 -XX:+ExitOnOutOfMemoryError -XX:-UsePerfData \
--enable-native-access=ALL-UNNAMED -Djava.library.path=/app/native -Djava.io.tmpdir=/tmp"
RUN java $JAVA_FLAGS -XX:AOTCacheOutput=/app/penstock.aot -jar /app/penstock.jar rehearse >/dev/null \
    && test -s /app/penstock.aot
COPY docker-entrypoint /app/docker-entrypoint
COPY conf /etc/penstock
USER 10001:10001
EXPOSE 8000 8090
# Healthy while at least one replica can take work. Bash speaks TCP by itself, so no curl is needed.
HEALTHCHECK --interval=2s --timeout=3s --start-period=30s --retries=2 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8090 && printf 'GET /readyz HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && read -r _ code _ <&3 && [ \"$code\" = 200 ]"]
ENTRYPOINT ["/app/docker-entrypoint"]
CMD ["serve"]
