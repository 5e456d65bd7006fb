package io.penstock.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The part of the world that a configuration may read. Reading files blocks, so it happens on a worker or before
 * anything else runs.
 *
 * @param environment the environment variables
 * @param files the files
 */
public record Surroundings(Environment environment, FileContent files) {

    /** This process's environment and this machine's files. */
    public static final Surroundings REAL = new Surroundings(System::getenv, Surroundings::readFile);

    /** The environment variables. */
    @FunctionalInterface
    public interface Environment {
        /**
         * One variable.
         *
         * @param name its name
         * @return its value; null when it is not set
         */
        @Nullable
        String get(String name);
    }

    /** The content of files. */
    @FunctionalInterface
    public interface FileContent {
        /**
         * One file's first bytes. Blocks.
         *
         * @param path the file
         * @param limitBytes how many bytes to read at most
         * @return the bytes; as many as the limit when the file is at least that long
         * @throws IOException when it is missing, unreadable, or no regular file (a pipe could block for ever)
         */
        byte[] read(Path path, int limitBytes) throws IOException;
    }

    private static byte[] readFile(Path path, int limitBytes) throws IOException {
        if (!Files.exists(path)) {
            throw new NoSuchFileException(path.toString());
        }
        if (!Files.isRegularFile(path)) {
            throw new IOException(Files.isDirectory(path) ? "is a directory" : "is not a regular file");
        }
        try (InputStream in = Files.newInputStream(path)) {
            return in.readNBytes(limitBytes);
        }
    }
}
