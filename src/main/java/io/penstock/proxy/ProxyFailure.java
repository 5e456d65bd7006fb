package io.penstock.proxy;

/** A failure that has its name: made where it happens, turned into an answer at one place. Carries no stack trace. */
public final class ProxyFailure extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final FailureKind kind;
    private final int retryAfterSeconds;

    /**
     * Names a failure.
     *
     * @param kind its row of the table
     * @param message what happened, to which replica (by name), and what the caller can do
     */
    public ProxyFailure(FailureKind kind, String message) {
        this(kind, message, 0);
    }

    /**
     * Names a failure that it is known to be over after a while.
     *
     * @param kind its row of the table
     * @param message what happened, and what the caller can do
     * @param retryAfterSeconds for how long the caller should stay away; 0 for what is usual for the kind
     */
    public ProxyFailure(FailureKind kind, String message, int retryAfterSeconds) {
        super(message, null, /* enableSuppression= */ false, /* writableStackTrace= */ false);
        this.kind = kind;
        this.retryAfterSeconds = retryAfterSeconds;
    }

    /**
     * Its row of the table.
     *
     * @return the kind
     */
    public FailureKind kind() {
        return kind;
    }

    /**
     * For how long the caller should stay away.
     *
     * @return seconds; 0 for what is usual for the kind
     */
    public int retryAfterSeconds() {
        return retryAfterSeconds;
    }

    /**
     * What people are told.
     *
     * @return the message
     */
    public String text() {
        String message = getMessage();
        return message == null ? kind.code() : message;
    }
}
