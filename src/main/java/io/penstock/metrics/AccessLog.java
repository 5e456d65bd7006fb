package io.penstock.metrics;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.penstock.proxy.AttemptReport;
import io.penstock.proxy.ExchangeObserver;
import io.penstock.proxy.ExchangeReport;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes one line of JSON per request at its end, to the logger {@value #LOGGER}: who asked for what, which replicas were
 * tried, how long each phase took. Never bodies, never keys. Times are milliseconds since the request's head arrived
 * (in {@code attempts}: since the attempt began) with up to three decimals, {@code null} for what never happened.
 *
 * <p>Any event loop may call it; it waits for nothing.
 */
public final class AccessLog implements ExchangeObserver {

    /** The SLF4J logger that carries the lines. */
    public static final String LOGGER = "penstock.access";

    // Model and client are the caller's words: a line stays short whatever they send.
    private static final int LONGEST_TEXT = 256;
    private static final Logger LINES = LoggerFactory.getLogger(LOGGER);
    private static final JsonFactory JSON = new JsonFactory();
    // RFC 3339, section 5.6, in UTC and always with milliseconds, so that lines sort as text.
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern(
                    "uuuu-MM-dd'T'HH:mm:ss.SSS'Z'", Locale.ROOT)
            .withZone(ZoneOffset.UTC);

    private final BooleanSupplier enabled;
    private final LongSupplier epochMillis;

    /**
     * Makes the log.
     *
     * @param enabled whether lines are written; asked for each request, so a reload takes effect at once
     * @param epochMillis the wall clock, in milliseconds since 1970
     */
    public AccessLog(BooleanSupplier enabled, LongSupplier epochMillis) {
        this.enabled = enabled;
        this.epochMillis = epochMillis;
    }

    @Override
    public void exchangeEnded(ExchangeReport report) {
        if (enabled.getAsBoolean() && LINES.isInfoEnabled()) {
            LINES.info(line(report, epochMillis.getAsLong()));
        }
    }

    /** The line, without its end; {@code endMillis} is when the request was over. */
    static String line(ExchangeReport report, long endMillis) {
        StringWriter text = new StringWriter(512);
        try (JsonGenerator json = JSON.createGenerator(text)) {
            json.writeStartObject();
            json.writeStringField("time", TIME.format(Instant.ofEpochMilli(endMillis)));
            writeRequest(json, report);
            writeResult(json, report);
            writeAttempts(json, report);
            writeTimes(json, report);
            json.writeNumberField("events", report.events());
            json.writeNumberField("bytes_in", report.bytesIn());
            json.writeNumberField("bytes_out", report.bytesOut());
            json.writeEndObject();
        } catch (IOException impossible) {
            throw new UncheckedIOException("a StringWriter cannot fail", impossible);
        }
        return text.toString();
    }

    private static void writeRequest(JsonGenerator json, ExchangeReport report) throws IOException {
        writeText(json, "request_id", report.requestId());
        writeText(json, "client", report.client());
        writeText(json, "method", report.method());
        writeText(json, "route", report.route());
        writeText(json, "model", report.model());
        json.writeBooleanField("stream", report.stream());
    }

    private static void writeResult(JsonGenerator json, ExchangeReport report) throws IOException {
        json.writeStringField("result", Words.of(report.result()));
        writeText(
                json,
                "failure",
                report.failure() == null ? null : report.failure().code());
        writeText(json, "phase", report.stopped() == null ? null : Words.of(report.stopped()));
        json.writeNumberField("status", report.status());
        writeText(json, "replica", report.replica());
    }

    private static void writeAttempts(JsonGenerator json, ExchangeReport report) throws IOException {
        json.writeArrayFieldStart("attempts");
        for (AttemptReport attempt : report.attempts()) {
            json.writeStartObject();
            writeText(json, "replica", attempt.replica());
            json.writeStringField("reason", Words.reason(attempt.failure()));
            writeMillis(json, "connect_ms", attempt.connectNanos());
            writeMillis(json, "head_ms", attempt.headNanos());
            writeMillis(json, "total_ms", attempt.totalNanos());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private static void writeTimes(JsonGenerator json, ExchangeReport report) throws IOException {
        writeMillis(json, "queue_ms", report.queueNanos());
        writeMillis(json, "connect_ms", report.connectNanos());
        writeMillis(json, "head_ms", report.headNanos());
        writeMillis(json, "first_output_ms", report.firstOutputNanos());
        writeMillis(json, "total_ms", report.totalNanos());
    }

    private static void writeText(JsonGenerator json, String key, @Nullable String text) throws IOException {
        if (text != null && text.length() > LONGEST_TEXT) {
            json.writeStringField(key, text.substring(0, LONGEST_TEXT) + "…");
        } else {
            json.writeStringField(key, text);
        }
    }

    private static void writeMillis(JsonGenerator json, String key, long nanos) throws IOException {
        json.writeFieldName(key);
        if (nanos < 0) {
            json.writeNull();
            return;
        }
        long micros = (nanos + 500) / 1000;
        if (micros % 1000 == 0) {
            json.writeNumber(micros / 1000);
        } else {
            // Not a double: that one turns to 1.0E7 after three hours.
            json.writeNumber(BigDecimal.valueOf(micros, 3).stripTrailingZeros());
        }
    }
}
