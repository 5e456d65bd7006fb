package io.penstock;

import io.penstock.config.Endpoint;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.Proxy;
import java.net.URI;
import java.net.URLEncoder;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Talks to the admin port of a running Penstock. For commands: every call blocks, for at most some seconds. */
final class AdminClient {

    private static final int TIMEOUT_MILLIS = 5000;
    // A listing of a thousand replicas has a tenth of this.
    private static final int MAX_ANSWER_BYTES = 8 << 20;

    /** What came back; {@code body} is empty if it was not a JSON object. */
    record Answer(int status, JsonObject body) {

        /** The reason that an answer other than 200 gives. */
        String reason() {
            return body.getString("error", "status " + status);
        }
    }

    /** Nobody answered, or someone who is not Penstock. The message says what to try. */
    static final class Unreachable extends Exception {

        private static final long serialVersionUID = 1L;

        Unreachable(String message, Throwable cause) {
            super(message, cause);
        }
    }

    private final Endpoint admin;
    private final String key;

    /**
     * A client of one port.
     *
     * @param admin where it is
     * @param key what to show for changes; null or empty if there is none
     */
    AdminClient(Endpoint admin, @Nullable String key) {
        this.admin = admin;
        this.key = key == null ? "" : key.strip();
    }

    /** How everything stands. */
    JsonObject upstreams() throws Unreachable {
        Answer answer = call("GET", "/upstreams");
        if (answer.status() != 200 || answer.body().getJsonArray("upstreams") == null) {
            throw notPenstock(new IOException("status " + answer.status()));
        }
        return answer.body();
    }

    /** Why the newest request with that id went where it did. */
    Answer explain(String requestId) throws Unreachable {
        return call("GET", "/explain/" + encoded(requestId));
    }

    /** The latest requests, newest first, in short. */
    Answer receipts() throws Unreachable {
        return call("GET", "/explain");
    }

    /** Marks a replica as draining. */
    Answer drain(String name) throws Unreachable {
        return call("POST", "/drain/" + encoded(name));
    }

    /** Takes the mark away. */
    Answer undrain(String name) throws Unreachable {
        return call("POST", "/undrain/" + encoded(name));
    }

    private Answer call(String method, String path) throws Unreachable {
        try {
            // No proxy: http_proxy is for the way to the internet, and this is our own machine.
            HttpURLConnection connection = (HttpURLConnection)
                    URI.create("http://" + admin + path).toURL().openConnection(Proxy.NO_PROXY);
            connection.setRequestMethod(method);
            if (!key.isEmpty() && method.equals("POST")) {
                connection.setRequestProperty("Authorization", "Bearer " + key);
            }
            connection.setConnectTimeout(TIMEOUT_MILLIS);
            connection.setReadTimeout(TIMEOUT_MILLIS);
            connection.setInstanceFollowRedirects(false);
            int status = connection.getResponseCode();
            return new Answer(status, read(status < 400 ? connection.getInputStream() : connection.getErrorStream()));
        } catch (DecodeException e) {
            throw notPenstock(e);
        } catch (IOException e) {
            throw new Unreachable(
                    "cannot reach Penstock's admin port at " + admin + " (" + why(e) + ").\n"
                            + "Is it running? Is this the"
                            + " address that it logged as"
                            + " \"admin on\"? Say --admin"
                            + " HOST:PORT.",
                    e);
        }
    }

    private static String why(IOException failure) {
        return failure instanceof UnknownHostException ? "no such host" : String.valueOf(failure.getMessage());
    }

    private static JsonObject read(InputStream body) throws IOException {
        try (InputStream in = body == null ? InputStream.nullInputStream() : body) {
            byte[] bytes = in.readNBytes(MAX_ANSWER_BYTES);
            return bytes.length == 0 ? new JsonObject() : new JsonObject(new String(bytes, StandardCharsets.UTF_8));
        }
    }

    private Unreachable notPenstock(Exception cause) {
        return new Unreachable(
                admin + " answers, but not as Penstock's admin port. Its front (8000 unless configured) is another"
                        + " port: say --admin HOST:PORT.",
                cause);
    }

    /** As one path segment: a slash in a name must not end it, and a plus is not a space there. */
    private static String encoded(String name) {
        return URLEncoder.encode(name, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
