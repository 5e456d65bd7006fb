package io.penstock.faults;

import java.util.List;
import java.util.Locale;

/**
 * What became of one question, from the client's seat.
 *
 * @param question what was asked
 * @param ending the verdict
 * @param status the status, 0 for none
 * @param outputSeen whether the client was shown any output
 * @param flaws what was not as promised, though the ending may be
 * @param words the error's words, or what was wrong
 */
record Answer(Question question, Ending ending, int status, boolean outputSeen, List<String> flaws, String words) {

    /** Every answer is one of these. */
    enum Ending {
        /** Whole, and what it must be. */
        COMPLETE,
        /** Not whole, and the client can tell: a status, an error event, or a connection that was cut. */
        HONEST,
        /** Not whole, and nothing tells the client. */
        SILENT,
        /** Text that nobody asked for. */
        WRONG,
        /** Nothing came any more for as long as the client was willing to wait. */
        WAITING,
        /** The client left before the end, as it was told to. */
        LEFT
    }

    /** Copies the flaws. */
    Answer {
        flaws = List.copyOf(flaws);
    }

    /** The client left. */
    static Answer left(Question question) {
        return new Answer(question, Ending.LEFT, 0, false, List.of(), "");
    }

    /** Whether the client was let down before it was shown any output, so that another replica could have helped. */
    boolean isLoss() {
        return ending == Ending.HONEST && !outputSeen;
    }

    @Override
    public String toString() {
        return question.id() + " " + question.api() + (question.stream() ? " stream " : " whole ")
                + ending.name().toLowerCase(Locale.ROOT) + " status " + status + (outputSeen ? " after output " : " ")
                + flaws + " " + words;
    }
}
