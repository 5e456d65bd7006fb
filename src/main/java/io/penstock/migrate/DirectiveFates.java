package io.penstock.migrate;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What becomes of each directive that is no line of the new file: the table of the migration. */
final class DirectiveFates {

    /** Read elsewhere, or saying nothing by themselves. */
    private static final Set<String> SILENT = Set.of(
            "server",
            "upstream",
            "location",
            "http",
            "events",
            "listen",
            "proxy_pass",
            "least_conn",
            "random",
            "fair",
            "client_max_body_size",
            "client_body_timeout",
            "client_header_timeout",
            "keepalive_timeout");

    /** Their arguments may be secret, or are a program. */
    private static final Set<String> NAME_ONLY = Set.of(
            "log_format",
            "set",
            "if",
            "map",
            "geo",
            "split_clients",
            "auth_basic_user_file",
            "sub_filter",
            "secure_link_md5");

    private static final String IDLE_REPLICAS =
            "connections to replicas are kept open for 3s, less than vLLM does, without a line for it";

    private static final String ANSWERS_AS_THEY_ARE = "answers are passed as vLLM sends them";

    private static final Map<String, Fate> TABLE = new HashMap<>();

    /** Why nobody misses it, or what is lost. */
    private record Fate(boolean lost, String reason) {}

    static {
        needless(
                "there is no limit on how long an answer takes, and waiting clients hear a comment every 10s (heartbeat)",
                "proxy_read_timeout proxy_send_timeout send_timeout");
        needless(
                "every event is passed on as it comes, nothing is buffered or cached",
                "proxy_buffering proxy_buffer_size proxy_buffers proxy_busy_buffers_size proxy_cache proxy_no_cache"
                        + " proxy_cache_bypass proxy_max_temp_file_size proxy_temp_file_write_size proxy_temp_path"
                        + " proxy_store proxy_ignore_client_abort chunked_transfer_encoding postpone_output");
        needless(
                "a request's body is kept until its answer begins, so that another replica can get it",
                "proxy_request_buffering client_body_buffer_size client_body_temp_path client_body_in_file_only"
                        + " client_body_in_single_buffer");
        needless(
                IDLE_REPLICAS, "keepalive keepalive_requests keepalive_time proxy_http_version proxy_socket_keepalive");
        needless(
                "connecting takes 2s at most, then another replica gets the request; timeouts.connect changes it",
                "proxy_connect_timeout");
        needless(
                "until its first output every request moves on when a replica fails, a POST as well",
                "proxy_next_upstream proxy_next_upstream_timeout proxy_next_upstream_tries");
        needless("all event loops share one view of the replicas", "zone");
        needless("names are looked up again every 2s, with the system's resolver", "resolver resolver_timeout");
        needless(
                "replicas are always probed (probe)",
                "health_check match check check_http_send"
                        + " check_http_expect_alive check_keepalive_requests check_shm_size");
        needless("requests wait by themselves while no replica can take them (admission)", "queue");
        needless(
                "errors are JSON in the shape of the API that was called",
                "error_page proxy_intercept_errors recursive_error_pages");
        needless(
                ANSWERS_AS_THEY_ARE,
                "gzip gzip_vary gzip_proxied gzip_types gzip_comp_level"
                        + " gzip_buffers gzip_http_version gzip_min_length gzip_disable gunzip proxy_redirect proxy_cookie_path"
                        + " proxy_cookie_domain default_type types types_hash_max_size charset etag if_modified_since");
        needless(
                "it answers to every name",
                "server_name server_names_hash_bucket_size server_names_hash_max_size"
                        + " server_name_in_redirect port_in_redirect absolute_redirect");
        needless(
                "one JSON line for each request, on standard output (log.access)",
                "access_log error_log log_format log_not_found open_log_file_cache");
        needless(
                "only headers were made of it, and those are set without it",
                "map set geo variables_hash_max_size" + " map_hash_bucket_size map_hash_max_size");
        needless(
                "limits.headers and limits.requestLine have room for more by default",
                "large_client_header_buffers client_header_buffer_size");
        needless(
                "one process, one event loop for each core, nothing to tune",
                "user worker_processes worker_connections worker_rlimit_nofile worker_cpu_affinity worker_shutdown_timeout"
                        + " worker_priority pid daemon master_process use multi_accept accept_mutex load_module env pcre_jit"
                        + " lock_file thread_pool timer_resolution sendfile sendfile_max_chunk tcp_nopush tcp_nodelay aio"
                        + " directio keepalive_disable lingering_close lingering_time lingering_timeout"
                        + " reset_timedout_connection server_tokens output_buffers underscores_in_headers"
                        + " ignore_invalid_headers merge_slashes root index internal proxy_headers_hash_max_size"
                        + " proxy_headers_hash_bucket_size keepalive_min_timeout");
        lost(
                "no equivalent for sending a client to the same replica each time; least_in_flight is used instead",
                "ip_hash hash sticky sticky_cookie_insert consistent_hash");
        lost("no equivalent for choosing by response time; least_in_flight is used instead", "least_time");
        lost("included files are not followed: import one whole file (nginx -T prints it)", "include");
        lost(
                "TLS for clients is not ended here: leave something in front that does",
                "ssl ssl_certificate ssl_certificate_key ssl_protocols ssl_ciphers ssl_session_cache"
                        + " ssl_session_timeout ssl_session_tickets ssl_prefer_server_ciphers ssl_dhparam ssl_ecdh_curve"
                        + " ssl_stapling ssl_stapling_verify ssl_trusted_certificate ssl_client_certificate"
                        + " ssl_verify_client ssl_password_file ssl_buffer_size ssl_reject_handshake");
        lost("clients speak HTTP/1.1", "http2 http3 quic_retry");
        lost(
                "a replica's certificate must be one that Java trusts, for the name in its URL",
                "proxy_ssl_certificate proxy_ssl_certificate_key proxy_ssl_trusted_certificate proxy_ssl_name"
                        + " proxy_ssl_server_name proxy_ssl_verify proxy_ssl_verify_depth proxy_ssl_protocols"
                        + " proxy_ssl_ciphers proxy_ssl_session_reuse proxy_ssl_password_file");
        lost(
                "who may call is not decided here: keep it in front, or start vLLM with --api-key",
                "auth_basic auth_basic_user_file auth_request auth_request_set auth_jwt allow deny satisfy"
                        + " limit_except secure_link secure_link_md5");
        lost(
                "nobody's rate is limited here; how many may wait in all is admission.maxWaiting",
                "limit_req limit_req_zone limit_req_status limit_req_dry_run limit_conn limit_conn_zone"
                        + " limit_conn_status limit_rate limit_rate_after");
        lost(
                "addresses that proxies in front report are believed if those proxies stand in trust.proxies",
                "set_real_ip_from real_ip_header real_ip_recursive");
        lost(
                "no headers are added to answers (for CORS vLLM has --allowed-origins)",
                "add_header expires" + " add_trailer proxy_hide_header proxy_pass_header proxy_ignore_headers");
        lost(
                "requests and answers are never rewritten",
                "rewrite if try_files return sub_filter sub_filter_once"
                        + " sub_filter_types split_clients mirror proxy_set_body proxy_method proxy_pass_request_body"
                        + " proxy_pass_request_headers alias");
        lost("only HTTP is carried", "stream grpc_pass fastcgi_pass uwsgi_pass scgi_pass mail");
    }

    private final Account account;

    DirectiveFates(Account account) {
        this.account = account;
    }

    /** Enters what becomes of these in the account; of blocks among them only the block itself. */
    void enter(List<Directive> directives) {
        directives.forEach(this::enter);
    }

    /** Enters what stands in an upstream beside its servers. */
    void enterUpstream(Directive upstream) {
        for (Directive each : upstream.block()) {
            // The name has another meaning there than for clients.
            if (each.name().equals("keepalive_timeout")) {
                account.needless(each.shown(), each.line(), IDLE_REPLICAS);
            } else {
                enter(each);
            }
        }
    }

    private void enter(Directive directive) {
        String name = directive.name();
        boolean carried = name.equals("access_log") && directive.first().equals("off");
        if (carried || SILENT.contains(name)) {
            return;
        }
        if (name.equals("proxy_set_header")) {
            HeaderFates.enter(directive, account);
            return;
        }
        Fate fate = fate(directive);
        String subject = subject(directive);
        if (fate.lost()) {
            account.lost(subject, directive.line(), fate.reason());
        } else {
            account.needless(subject, directive.line(), fate.reason());
        }
    }

    private static Fate fate(Directive directive) {
        if (directive.name().equals("proxy_next_upstream") && directive.first().equals("off")) {
            return new Fate(true, "requests without output always move on from a replica that failed");
        }
        if (directive.name().equals("include") && directive.first().endsWith("mime.types")) {
            return new Fate(false, ANSWERS_AS_THEY_ARE);
        }
        Fate known = TABLE.get(directive.name());
        return known != null ? known : new Fate(true, "not known to this command; see whether it mattered");
    }

    /** What an unknown directive says may be secret, and so may what stands in a header. */
    private static String subject(Directive directive) {
        String name = directive.name();
        if (name.equals("add_header")) {
            return "add_header " + Plain.text(directive.first());
        }
        return TABLE.containsKey(name) && !NAME_ONLY.contains(name) ? directive.shown() : Plain.text(name);
    }

    private static void needless(String reason, String names) {
        add(new Fate(false, reason), names);
    }

    private static void lost(String reason, String names) {
        add(new Fate(true, reason), names);
    }

    private static void add(Fate fate, String names) {
        for (String name : names.split(" ", -1)) {
            if (TABLE.put(name, fate) != null) {
                throw new IllegalStateException("twice in the table: " + name);
            }
        }
    }
}
