package io.penstock.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FailureKindTest {

    /** Failure, status, code, whether the replica is charged, whether it is tried elsewhere. Clients rely on it. */
    private static final String TABLE = """
            MALFORMED                400 bad_request          -       NO
            REQUEST_LINE_TOO_LONG    414 uri_too_long         -       NO
            HEADERS_TOO_LARGE        431 headers_too_large    -       NO
            BODY_TOO_LARGE           413 body_too_large       -       NO
            CLIENT_TOO_SLOW          408 client_too_slow      -       NO
            BODY_MEMORY_FULL         503 overloaded           -       NO
            NOT_FOUND                404 not_found            -       NO
            CONTROL_ENDPOINT         403 control_endpoint     -       NO
            METHOD_NOT_ALLOWED       405 method_not_allowed   -       NO
            UNAUTHORIZED             401 unauthorized         -       NO
            CALLER_OVER_LIMIT        429 rate_limit_exceeded  -       NO
            POISON_BODY              422 poison_request       -       NO
            WAITING_ROOM_FULL        429 overloaded           -       NO
            ABOVE_TARGET             429 overloaded           -       NO
            NO_REPLICA               503 no_replica_available -       NO
            QUEUE_DEADLINE           429 overloaded           -       NO
            SHUTTING_DOWN            503 shutting_down        -       NO
            OWNER_DOWN               503 owner_unavailable    -       NO
            CONNECT_REFUSED          502 upstream_unreachable charged FAILOVER
            CONNECT_TIMEOUT          504 upstream_timeout     charged FAILOVER
            STALE_CONNECTION         502 upstream_closed      -       FAILOVER
            DIED_BEFORE_OUTPUT       502 upstream_died        charged FAILOVER
            LEFT_BEFORE_OUTPUT       502 upstream_left        -       FAILOVER
            STALLED_BEFORE_OUTPUT    504 upstream_stalled     -       FAILOVER
            CUT_BEFORE_RELAY         502 upstream_died        charged FAILOVER
            POISON                   502 poison_request       -       NO
            TOLD_TO_STOP             500 upstream_leaving     -       FAILOVER
            ENGINE_DEAD              500 upstream_engine_dead charged FAILOVER
            UPSTREAM_ERROR           500 upstream_error       charged RETRY
            UPSTREAM_BUSY            503 upstream_busy        -       RETRY
            IN_BAND_ERROR            500 upstream_in_band_error charged RETRY
            TIMED_OUT                504 timeout              -       NO
            DIED_MID_STREAM          502 upstream_died        charged NO
            ENDED_WITHOUT_MARKER     502 upstream_cut_short   charged NO
            IN_BAND_ERROR_MID_STREAM 500 upstream_in_band_error charged NO
            STALLED_MID_STREAM       504 upstream_stalled     charged NO
            CLIENT_DOES_NOT_READ     499 client_too_slow      -       NO
            CLIENT_LEFT              499 client_left          -       NO
            HEDGE_LOST               499 hedge_lost           -       NO
            INTERNAL                 500 internal_error       -       NO
            """;

    @Test
    void theTableIsAsPromised() {
        List<List<String>> promised =
                TABLE.lines().map(line -> Arrays.asList(line.split(" +", -1))).toList();

        List<List<String>> rows = new ArrayList<>();
        for (FailureKind kind : FailureKind.values()) {
            rows.add(List.of(
                    kind.name(),
                    "" + kind.status(),
                    kind.code(),
                    kind.charged() ? "charged" : "-",
                    kind.elsewhere().name()));
        }
        assertThat(rows).isEqualTo(promised);
    }

    @ParameterizedTest
    @EnumSource
    void aFailureIsAnErrorAndItsCodeIsAWord(FailureKind kind) {
        assertThat(kind.status()).isBetween(400, 599);
        assertThat(kind.code()).matches("[a-z]+(_[a-z]+)*");
    }

    @ParameterizedTest
    @EnumSource
    void onlyFailuresOfAReplicaAreTriedElsewhereOrCharged(FailureKind kind) {
        if (kind.charged() || kind.elsewhere() != FailureKind.Elsewhere.NO) {
            assertThat(kind.status()).isGreaterThanOrEqualTo(500);
        }
    }
}
