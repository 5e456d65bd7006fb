package io.penstock.faults;

import io.penstock.faults.Answer.Ending;
import io.penstock.faults.Reply.End;
import io.vertx.core.json.DecodeException;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Says what an answer is worth to the client that asked for it. It reads as the clients of each API do: a stream is over
 * at its end marker, an error event is an error, a comment is nothing.
 */
final class Judge {

    private static final int ENOUGH_WORDS = 200;

    private Judge() {}

    /** Judges one answer against the text that it must be. */
    static Answer judge(Question question, String truth, Reply reply) {
        if (reply.status() == 0) {
            Ending ending = reply.end() == End.SILENCE ? Ending.WAITING : Ending.HONEST;
            return new Answer(
                    question, ending, 0, false, flawsOf(ending == Ending.HONEST, "closed without a word"), "");
        }
        if (reply.status() >= 400) {
            return refusal(question, reply);
        }
        return reply.isStream() ? stream(question, truth, reply) : whole(question, truth, reply);
    }

    private static List<String> flawsOf(boolean present, String flaw) {
        return present ? List.of(flaw) : List.of();
    }

    private static Answer refusal(Question question, Reply reply) {
        JsonObject body = json(reply.text());
        boolean readable = body != null && question.api().isErrorBody(body) && reply.end() == End.WHOLE;
        return answer(
                question, Ending.HONEST, reply, false, flawsOf(!readable, "error in another shape"), reply.text());
    }

    private static Answer whole(Question question, String truth, Reply reply) {
        // Half of such an answer is no use to anybody, so none of it counts as shown.
        if (reply.end() == End.SILENCE) {
            return answer(question, Ending.WAITING, reply, false, List.of(), "");
        }
        if (reply.end() == End.CUT) {
            return answer(question, Ending.HONEST, reply, false, List.of(), "cut");
        }
        if (question.stream()) {
            return answer(question, Ending.WRONG, reply, false, List.of(), "no stream: " + reply.text());
        }
        JsonObject body = json(reply.text());
        String text = body == null ? null : question.api().text(body);
        if (text == null) {
            return answer(question, Ending.SILENT, reply, false, List.of(), "not a whole body: " + reply.text());
        }
        if (text.equals(truth)) {
            return answer(question, Ending.COMPLETE, reply, false, List.of(), "");
        }
        return answer(question, truth.startsWith(text) ? Ending.SILENT : Ending.WRONG, reply, false, List.of(), text);
    }

    private static Answer stream(Question question, String truth, Reply reply) {
        Events events = new Events(question.api());
        events.read(reply.text());
        List<String> flaws = new ArrayList<>();
        String text = events.text.toString();
        String error = events.error;
        if (!truth.startsWith(text)) {
            return answer(question, Ending.WRONG, reply, events.output, flaws, "text: " + text);
        }
        if (events.ended && error == null) {
            // What comes after the marker no client reads.
            Ending ending = text.equals(truth) ? Ending.COMPLETE : Ending.SILENT;
            return answer(question, ending, reply, events.output, flaws, text);
        }
        if (error != null) {
            if (events.ended) {
                flaws.add("end marker after an error");
            }
            if (events.strangeError) {
                flaws.add("error event in another shape");
            }
            if (reply.end() == End.WHOLE) {
                flaws.add("clean last chunk after an error");
            }
            return answer(question, Ending.HONEST, reply, events.output, flaws, error);
        }
        return switch (reply.end()) {
            case SILENCE -> answer(question, Ending.WAITING, reply, events.output, flaws, "");
            case CUT ->
                answer(question, Ending.HONEST, reply, events.output, List.of("cut without an error event"), "");
            case WHOLE, UNFRAMED -> answer(question, Ending.SILENT, reply, events.output, flaws, text);
        };
    }

    private static Answer answer(
            Question question, Ending ending, Reply reply, boolean output, List<String> flaws, String words) {
        String few = words.length() > ENOUGH_WORDS ? words.substring(0, ENOUGH_WORDS) : words;
        return new Answer(question, ending, reply.status(), output, flaws, few);
    }

    private static @Nullable JsonObject json(String text) {
        try {
            return new JsonObject(text);
        } catch (DecodeException | ClassCastException e) {
            return null;
        }
    }

    /** What a client has read of a stream. */
    private static final class Events {

        private final Api api;
        private final StringBuilder text = new StringBuilder();
        private boolean output;
        private boolean ended;
        private @Nullable String error;
        private boolean strangeError;

        Events(Api api) {
            this.api = api;
        }

        /** Reads whole events; what follows the last blank line is no event (WHATWG HTML, section 9.2.6). */
        void read(String stream) {
            String[] events = stream.replace("\r\n", "\n").split("\n\n", -1);
            for (int i = 0; i < events.length - 1; i++) {
                String payload = payload(events[i]);
                if (payload.equals("[DONE]")) {
                    ended |= api.endsWithDone();
                } else if (!payload.isEmpty() && !ended) {
                    event(payload);
                }
            }
        }

        private void event(String payload) {
            JsonObject event = json(payload);
            if (event == null) {
                text.append("(no JSON: ").append(payload).append(')');
                return;
            }
            if (api.isError(event)) {
                error = payload;
                strangeError = !api.isErrorEvent(event);
                return;
            }
            output |= api.isOutput(event);
            text.append(api.piece(event));
            ended |= api.isEnd(event);
        }

        private static String payload(String event) {
            StringBuilder data = new StringBuilder();
            for (String line : event.split("\n", -1)) {
                if (line.startsWith("data:")) {
                    data.append(line.substring(5).strip());
                }
            }
            return data.toString();
        }
    }
}
