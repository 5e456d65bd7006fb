package io.penstock.admin;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The files of the live page, out of the program's own jars and kept in memory. There are exactly these, so no path leads
 * anywhere else. Nothing on the page comes from another place, and its policy says so to the browser (CSP level 3).
 */
final class PageFiles {

    private static final Logger LOG = LoggerFactory.getLogger(PageFiles.class);

    private static final String OWN = "page/";
    private static final String PLOT = "META-INF/resources/webjars/uplot/1.6.30/dist/";
    private static final String HTML = "text/html; charset=utf-8";
    private static final String SCRIPT = "text/javascript; charset=utf-8";
    private static final String STYLE = "text/css; charset=utf-8";
    private static final String POLICY =
            "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
                    + " object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    private static final int TAG_CHARACTERS = 16;

    private record Asset(Buffer bytes, String contentType, String tag) {}

    private final Map<String, Asset> assets = new HashMap<>();

    private PageFiles() {}

    /** Reads all of them. Blocks. */
    static PageFiles read() {
        PageFiles files = new PageFiles();
        files.add("index.html", OWN + "index.html", HTML);
        for (String script : new String[] {"page.js", "replicas.js", "flow.js", "charts.js", "receipt.js", "dom.js"}) {
            files.add(script, OWN + script, SCRIPT);
        }
        files.add("page.css", OWN + "page.css", STYLE);
        files.add("icon.svg", OWN + "icon.svg", "image/svg+xml");
        files.add("uplot.js", PLOT + "uPlot.esm.js", SCRIPT);
        files.add("uplot.css", PLOT + "uPlot.min.css", STYLE);
        return files;
    }

    private void add(String name, String resource, String contentType) {
        try (InputStream in = PageFiles.class.getClassLoader().getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("the program lacks its own " + resource);
            }
            byte[] bytes = in.readAllBytes();
            assets.put(name, new Asset(Buffer.buffer(bytes), contentType, tag(bytes)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String tag(byte[] bytes) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(bytes);
            return "\"" + HexFormat.of().formatHex(digest).substring(0, TAG_CHARACTERS) + "\"";
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java platform has SHA-256", impossible);
        }
    }

    /** Whether there is a file of that name. */
    boolean has(String name) {
        return assets.containsKey(name);
    }

    /** Answers with the file, or with 304 if the browser has it (RFC 9110, section 13.1.2). */
    void answer(HttpServerRequest request, String name) {
        Asset asset = assets.get(name);
        HttpServerResponse response = request.response();
        if (asset == null) {
            throw new IllegalArgumentException("no such file: " + name);
        }
        // Always asked for again, so that a browser never mixes the files of two versions.
        response.putHeader(HttpHeaders.CACHE_CONTROL, "no-cache")
                .putHeader(HttpHeaders.ETAG, asset.tag())
                .putHeader(HttpHeaders.VARY, "accept")
                .putHeader("content-security-policy", POLICY)
                .putHeader("x-frame-options", "DENY")
                .putHeader("x-content-type-options", "nosniff")
                .putHeader("referrer-policy", "no-referrer")
                .putHeader("cross-origin-resource-policy", "same-origin");
        boolean known = asset.tag().equals(request.getHeader(HttpHeaders.IF_NONE_MATCH));
        if (!known) {
            response.putHeader(HttpHeaders.CONTENT_TYPE, asset.contentType());
        }
        response.setStatusCode(known ? 304 : 200)
                .end(known ? Buffer.buffer() : asset.bytes())
                .onFailure(gone -> LOG.debug("admin: the caller left before its answer", gone));
    }
}
