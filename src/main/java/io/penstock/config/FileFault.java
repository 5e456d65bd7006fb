package io.penstock.config;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import org.jspecify.annotations.Nullable;

/** Why a file could not be read, in words for the person who named it. */
final class FileFault {

    private FileFault() {}

    static String describe(IOException fault) {
        if (fault instanceof NoSuchFileException) {
            return "there is no such file";
        }
        if (fault instanceof AccessDeniedException) {
            return "it may not be read (permission denied)";
        }
        @Nullable String message = fault.getMessage();
        return message == null ? fault.getClass().getSimpleName() : "it " + message;
    }
}
