package io.penstock.config;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Knows whether a file is mounted by itself, as by {@code -v ./penstock.yaml:/etc/penstock/penstock.yaml}. Editors
 * replace a file by renaming another over it; such a mount keeps showing the old one, for ever.
 */
final class MountPoints {

    private static final Path TABLE = Path.of("/proc/self/mountinfo");
    private static final int LIMIT_BYTES = 1 << 20;
    /** Zero-based, in a line of the table; see proc_pid_mountinfo(5). */
    private static final int MOUNT_POINT_COLUMN = 4;

    private MountPoints() {}

    /** Whether the file is a mount point; false where that cannot be known, as outside Linux. */
    static boolean contain(Path file, Surroundings surroundings) {
        String wanted = file.toAbsolutePath().normalize().toString();
        String table;
        try {
            table = new String(surroundings.files().read(TABLE, LIMIT_BYTES), StandardCharsets.UTF_8);
        } catch (IOException noTable) {
            return false;
        }
        return table.lines()
                .map(line -> line.split(" ", MOUNT_POINT_COLUMN + 2))
                .anyMatch(columns -> columns.length > MOUNT_POINT_COLUMN
                        && unescaped(columns[MOUNT_POINT_COLUMN]).equals(wanted));
    }

    /** The kernel writes space, tab, line feed and backslash in octal. */
    private static String unescaped(String column) {
        return column.replace("\\040", " ")
                .replace("\\011", "\t")
                .replace("\\012", "\n")
                .replace("\\134", "\\");
    }
}
