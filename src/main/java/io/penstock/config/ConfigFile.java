package io.penstock.config;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * The configuration file and what the command line says in its place: reads both and gives a whole good value or every
 * problem. Stateless, so any thread may read; reading blocks, so never on an event loop.
 */
public final class ConfigFile {

    /** Where it is looked for when nobody says where. */
    public static final Path USUAL_PATH = Path.of("conf", "penstock.yaml");

    /** A file longer than this is a mistake. */
    static final int LIMIT_BYTES = 1 << 20;

    private static final String COMMAND_LINE = "command line";
    private static final String NO_HASH = "none";
    /** 64 bits tell contents apart; they are no seal. */
    private static final int HASH_CHARACTERS = 16;

    private final @Nullable Path path;
    private final Overrides overrides;
    private final Surroundings surroundings;

    /**
     * A file.
     *
     * @param path where it is; null when the command line says everything
     * @param overrides what the command line says
     * @param surroundings where its secrets are
     */
    public ConfigFile(@Nullable Path path, Overrides overrides, Surroundings surroundings) {
        this.path = path;
        this.overrides = overrides;
        this.surroundings = surroundings;
    }

    /**
     * The file that {@code serve} means: the one that was named, else the usual one; and none at all when the command
     * line brings upstreams and the usual file does not exist. Blocks.
     *
     * @param named {@code --config}; null when it was not given
     * @param overrides what the command line says
     * @return the file, not yet read
     */
    public static ConfigFile choose(@Nullable Path named, Overrides overrides) {
        Path path = named != null ? named : USUAL_PATH;
        boolean needless = named == null && !overrides.upstreams().isEmpty() && !Files.exists(path);
        return new ConfigFile(needless ? null : path, overrides, Surroundings.REAL);
    }

    /**
     * Its name for people.
     *
     * @return the path, or {@code command line}
     */
    public String source() {
        return path == null ? COMMAND_LINE : path.toString();
    }

    /**
     * Whether there is a file that can change.
     *
     * @return false when the command line says everything
     */
    public boolean canChange() {
        return path != null;
    }

    /**
     * Reads and checks everything, now. Blocks; never throws for what is in the file or wrong with it.
     *
     * @return a good value or every problem
     */
    public Reading read() {
        Findings findings = new Findings();
        byte[] bytes = new byte[0];
        if (path != null) {
            try {
                bytes = surroundings.files().read(path, LIMIT_BYTES + 1);
            } catch (IOException fault) {
                return failed(FileFault.describe(fault));
            }
            if (bytes.length > LIMIT_BYTES) {
                return failed("it is longer than " + Units.size(LIMIT_BYTES));
            }
            if (MountPoints.contain(path, surroundings)) {
                findings.warning(
                        source(),
                        "this file is mounted by itself, so edits that replace it will never be seen;"
                                + " mount its directory instead");
            }
        }
        return check(bytes, findings);
    }

    private Reading check(byte[] bytes, Findings findings) {
        MessageDigest digest = sha256();
        digest.update(bytes);
        Node top = path == null ? null : YamlText.compose(bytes, source(), findings);
        PenstockConfig config = null;
        if (findings.allGood()) {
            Section root = new Section("", top, findings);
            config = new FileLayout(root, overrides, findings, new Secrets(surroundings, digest, findings)).read();
        }
        String hash = HexFormat.of().formatHex(digest.digest()).substring(0, HASH_CHARACTERS);
        return new Reading(
                source(),
                hash,
                findings.allGood() ? config : null,
                findings.settings(),
                findings.problems(),
                findings.warnings());
    }

    /** A reading that got nowhere. */
    Reading failed(String reason) {
        Problem problem = new Problem(source(), reason, 0, 0);
        return new Reading(source(), NO_HASH, null, List.of(), List.of(problem), List.of());
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java platform has SHA-256", impossible);
        }
    }
}
