package io.penstock.sim;

/**
 * A fault that hits a share of the requests.
 *
 * @param fault what goes wrong
 * @param rate the share, above 0 and up to 1; 1 also stands for "always", which is the only choice for faults that are
 *     not about single requests
 */
public record RatedFault(Fault fault, double rate) {

    /** Refuses shares that are none. */
    public RatedFault {
        if (!(rate > 0 && rate <= 1)) {
            throw new IllegalArgumentException("want a share above 0 and up to 1, got " + rate);
        }
        if (rate < 1 && fault.kind().scope() != Fault.Scope.REQUEST) {
            throw new IllegalArgumentException(fault.kind().label() + " has no rate: it is on or off");
        }
    }

    /**
     * Reads a command-line flag.
     *
     * @param text {@code NAME[:ARGUMENT][@RATE]}, for example {@code reset-after:3@0.01}; without a rate it is always on
     * @return the fault and its rate
     * @throws IllegalArgumentException if it is not that; the message says why
     */
    public static RatedFault parse(String text) {
        int at = text.lastIndexOf('@');
        if (at < 0) {
            return new RatedFault(Fault.parse(text), 1);
        }
        try {
            return new RatedFault(Fault.parse(text.substring(0, at)), Double.parseDouble(text.substring(at + 1)));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("want a share such as 0.01 after the @, got '" + text + "'", e);
        }
    }

    @Override
    public String toString() {
        return rate < 1 ? fault + "@" + rate : fault.toString();
    }
}
