package io.penstock.proxy;

/** A failure that has its name: made where it happens, turned into an answer at one place. Carries no stack trace. */
public final class ProxyFailure extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final FailureKind kind;

    /**
     * Names a failure.
     *
     * @param kind its row of the table
     * @param message what happened, to which replica (by name), and what the caller can do
     */
    public ProxyFailure(FailureKind kind, String message) {
        super(message, null, /* enableSuppression= */ false, /* writableStackTrace= */ false);
        this.kind = kind;
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
     * What people are told.
     *
     * @return the message
     */
    public String text() {
        String message = getMessage();
        return message == null ? kind.code() : message;
    }
}
