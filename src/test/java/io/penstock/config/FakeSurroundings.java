package io.penstock.config;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** An environment and a disk that a test fills by hand. */
final class FakeSurroundings {

    static final Path FILE = Path.of("/etc/penstock/penstock.yaml");

    final Map<String, String> environment = new ConcurrentHashMap<>();
    final Map<Path, byte[]> files = new ConcurrentHashMap<>();
    final Map<Path, IOException> faults = new ConcurrentHashMap<>();

    FakeSurroundings file(String path, String content) {
        files.put(Path.of(path), content.getBytes(StandardCharsets.UTF_8));
        return this;
    }

    Surroundings see() {
        return new Surroundings(environment::get, this::read);
    }

    Reading read(String yaml) {
        return read(yaml, Overrides.NONE);
    }

    Reading read(String yaml, Overrides overrides) {
        return read(yaml.getBytes(StandardCharsets.UTF_8), overrides);
    }

    Reading read(byte[] yaml, Overrides overrides) {
        files.put(FILE, yaml);
        return new ConfigFile(FILE, overrides, see()).read();
    }

    private byte[] read(Path path, int limitBytes) throws IOException {
        IOException fault = faults.get(path);
        if (fault != null) {
            throw fault;
        }
        byte[] content = files.get(path);
        if (content == null) {
            throw new NoSuchFileException(path.toString());
        }
        return Arrays.copyOf(content, Math.min(content.length, limitBytes));
    }
}
