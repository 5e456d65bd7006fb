package io.penstock.migrate;

/** An nginx configuration out of which nothing can be made. The message is for the person who named it. */
public final class UnusableFile extends Exception {

    private static final long serialVersionUID = 1L;

    /**
     * Says why.
     *
     * @param line the line to blame, from 1; 0 for the whole file
     * @param reason what is wrong with it
     */
    UnusableFile(int line, String reason) {
        super(line == 0 ? reason : "line " + line + ": " + reason, null, false, false);
    }
}
