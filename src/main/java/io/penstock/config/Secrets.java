package io.penstock.config;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Fetches what {@code ${env:NAME}} and {@code ${file:/path}} stand for. Everything fetched goes into the digest, so that
 * a changed secret is a changed configuration; nothing fetched goes into a message. Confined to the thread that reads.
 */
final class Secrets {

    private static final Pattern REFERENCE = Pattern.compile("\\$\\{(env|file):([^}]+)}");
    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");
    /** What a header can carry after {@code Bearer}: no space, no line break. */
    private static final Pattern USABLE = Pattern.compile("[\\x21-\\x7e]+");

    /** What a header can carry that is nothing but text: no line break. */
    private static final Pattern TEXT = Pattern.compile("[\\x20-\\x7e]+");

    private static final int LONGEST_BYTES = 8 << 10;

    private final Surroundings surroundings;
    private final MessageDigest digest;
    private final Findings findings;

    Secrets(Surroundings surroundings, MessageDigest digest, Findings findings) {
        this.surroundings = surroundings;
        this.digest = digest;
        this.findings = findings;
    }

    /** The secret, or null after noting why there is none. */
    @Nullable
    String resolve(Scalar written) {
        return resolve(written, USABLE);
    }

    /** As {@link #resolve(Scalar)} for a whole header, which may hold spaces. */
    @Nullable
    String resolveText(Scalar written) {
        return resolve(written, TEXT);
    }

    private @Nullable String resolve(Scalar written, Pattern usable) {
        Matcher reference = REFERENCE.matcher(written.text());
        String value;
        String origin = "the key";
        if (reference.matches()) {
            origin = written.text();
            value = reference.group(1).equals("env")
                    ? fromEnvironment(written, reference.group(2))
                    : fromFile(written, reference.group(2));
            remember(written.text());
            remember(value == null ? "" : value);
        } else if (written.text().contains("${")) {
            return refuse(written, "want ${env:NAME} or ${file:/run/secrets/NAME} as the whole value");
        } else {
            findings.warning(
                    written.path(),
                    "a key should not sit in this file; write ${env:NAME} or ${file:/run/secrets/NAME}");
            value = written.text();
        }
        if (value != null && !usable.matcher(value).matches()) {
            return refuse(
                    written,
                    origin + (value.isEmpty() ? " is empty" : " holds a character that no HTTP header can carry"));
        }
        return value;
    }

    private @Nullable String fromEnvironment(Scalar written, String name) {
        if (!VARIABLE.matcher(name).matches()) {
            return refuse(written, "want the name of an environment variable, got " + new Scalar("", name, 0).shown());
        }
        String value = surroundings.environment().get(name);
        return value == null ? refuse(written, "the environment variable " + name + " is not set") : value;
    }

    private @Nullable String fromFile(Scalar written, String name) {
        try {
            Path path = Path.of(name);
            if (!path.isAbsolute()) {
                return refuse(written, "want an absolute path in ${file:...}, got " + new Scalar("", name, 0).shown());
            }
            byte[] bytes = surroundings.files().read(path, LONGEST_BYTES + 1);
            return bytes.length > LONGEST_BYTES
                    ? refuse(written, "the file " + path + " is longer than " + Units.size(LONGEST_BYTES))
                    // Editors and echo end a file with a line break that is no part of the key.
                    : new String(bytes, StandardCharsets.UTF_8).stripTrailing();
        } catch (IOException fault) {
            return refuse(written, "the file " + name + " gives no key: " + FileFault.describe(fault));
        } catch (InvalidPathException fault) {
            return refuse(written, "want a path in ${file:...}: " + fault.getReason());
        }
    }

    private @Nullable String refuse(Scalar written, String message) {
        findings.problem(written.path(), written.line(), message);
        return null;
    }

    /** With its length, so that no two series of texts look alike to the digest. */
    private void remember(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).array());
        digest.update(bytes);
    }
}
