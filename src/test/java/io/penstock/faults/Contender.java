package io.penstock.faults;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The balancers that are put through the same rows, each set up as well as it can be for this work. */
enum Contender {
    PENSTOCK {
        @Override
        Balancer start(Path folder, List<Integer> replicas, boolean singleRequests) throws Exception {
            return PenstockBalancer.start(folder, replicas, "");
        }
    },
    NGINX {
        @Override
        Balancer start(Path folder, List<Integer> replicas, boolean singleRequests) throws Exception {
            int port = ChildProcess.freePort();
            // Faults of single requests must not take a whole server out, so there nobody counts them.
            String rule = singleRequests ? " max_fails=0;" : " max_fails=1 fail_timeout=10s;";
            String servers = replicas.stream()
                    .map(each -> "    server 127.0.0.1:" + each + rule + "\n")
                    .collect(Collectors.joining());
            Path file = Files.writeString(folder.resolve("nginx.conf"), """
                    daemon off;
                    worker_processes 2;
                    error_log stderr warn;
                    pid nginx.pid;
                    events { worker_connections 4096; }
                    http {
                      access_log off;
                      client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
                      client_max_body_size 64m;
                      upstream replicas {
                        zone replicas 256k;
                        least_conn;
                    %s    keepalive 64;
                        keepalive_timeout 3s;
                      }
                      server {
                        listen 127.0.0.1:%d;
                        location / {
                          proxy_pass http://replicas;
                          proxy_http_version 1.1;
                          proxy_set_header Connection "";
                          proxy_set_header Host $http_host;
                          proxy_buffering off;
                          proxy_request_buffering on;
                          proxy_connect_timeout 2s;
                          proxy_read_timeout 1h;
                          proxy_send_timeout 1h;
                          proxy_next_upstream error timeout http_500 http_502 http_503 http_504 http_429 non_idempotent;
                          proxy_next_upstream_tries 3;
                        }
                      }
                    }
                    """.formatted(servers, port));
            return Balancer.start(this, folder, port, List.of(path(), "-p", folder + "/", "-c", file.toString()));
        }
    },
    HAPROXY {
        @Override
        Balancer start(Path folder, List<Integer> replicas, boolean singleRequests) throws Exception {
            int port = ChildProcess.freePort();
            StringBuilder servers = new StringBuilder();
            for (int each : replicas) {
                servers.append(
                        "  server s%d 127.0.0.1:%d check inter 2s fall 3 rise 2 maxconn 4096\n".formatted(each, each));
            }
            Path file = Files.writeString(folder.resolve("haproxy.cfg"), """
                    global
                      maxconn 8192
                      tune.bufsize 65536
                    defaults
                      mode http
                      option http-keep-alive
                      option redispatch
                      option abortonclose
                      option http-buffer-request
                      retries 3
                      retry-on all-retryable-errors
                      timeout connect 2s
                      timeout client 1h
                      timeout server 1h
                    frontend front
                      bind 127.0.0.1:%d
                      default_backend replicas
                    backend replicas
                      balance leastconn
                      option httpchk GET /health
                      http-reuse safe
                    %s""".formatted(port, servers));
            return Balancer.start(this, folder, port, List.of(path(), "-f", file.toString()));
        }
    },
    VLLM_ROUTER {
        @Override
        Balancer start(Path folder, List<Integer> replicas, boolean singleRequests) throws Exception {
            int port = ChildProcess.freePort();
            List<String> command = new ArrayList<>(List.of(path(), "--host", "127.0.0.1", "--port", "" + port));
            command.addAll(List.of("--policy", "round_robin", "--prometheus-port", "" + ChildProcess.freePort()));
            command.add("--worker-urls");
            replicas.forEach(each -> command.add("http://127.0.0.1:" + each));
            return Balancer.start(this, folder, port, command);
        }
    };

    /** Starts it before these ports and waits until it serves. */
    abstract Balancer start(Path folder, List<Integer> replicas, boolean singleRequests) throws Exception;

    /** The name for people. */
    String label() {
        return switch (this) {
            case PENSTOCK -> "Penstock";
            case NGINX -> "nginx";
            case HAPROXY -> "HAProxy";
            case VLLM_ROUTER -> "vllm-router";
        };
    }

    /** Whether it is here. */
    boolean isInstalled() {
        return this == PENSTOCK || found() != null;
    }

    /** The program; from {@code penstock.nginx}, {@code PENSTOCK_NGINX} and so on, or else from the PATH. */
    String path() {
        String found = found();
        if (found == null) {
            throw new IllegalStateException(label() + " is not installed");
        }
        return found;
    }

    private @Nullable String found() {
        String word = name().toLowerCase(Locale.ROOT);
        String given = System.getProperty("penstock." + word, System.getenv("PENSTOCK_" + name()));
        if (given != null) {
            return given;
        }
        String folders = System.getenv("PATH");
        for (String folder : (folders == null ? "" : folders).split(":", -1)) {
            Path candidate = Path.of(folder, word.replace('_', '-'));
            if (!folder.isEmpty() && Files.isExecutable(candidate)) {
                return candidate.toString();
            }
        }
        return null;
    }

    /** What it says its version is; empty if it does not say. */
    String version() throws IOException, InterruptedException {
        String flag = this == HAPROXY || this == NGINX ? "-v" : "--version";
        Process process =
                new ProcessBuilder(path(), flag).redirectErrorStream(true).start();
        String text = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        process.waitFor();
        String[] found = text.replaceAll("(?s).*?(\\d+\\.\\d+\\.\\d+).*", "$1").split("\n", 2);
        return found[0].length() < 20 ? found[0] : "";
    }
}
