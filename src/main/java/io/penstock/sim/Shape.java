package io.penstock.sim;

import io.vertx.core.json.Json;
import java.util.List;

/** The form of one answer in one of the four generation APIs: its events if it is streamed, its body if it is not. */
interface Shape {

    /** The events that go out with the head, before any token exists. */
    default List<String> accepted() {
        return List.of();
    }

    /** Takes note of how many tokens of the prompt were cached, before the first token's events are asked for. */
    default void cached(int tokens) {}

    /** The events that come together with the first token. */
    List<String> opening();

    /** The event of one token, from 0. */
    String token(int index);

    /** The events after the last token; the last of them is the end marker. */
    List<String> closing();

    /** The body of an answer that is not streamed. */
    String whole();

    /** The events of a stream that the engine had no room for. */
    List<String> overload();

    /** The events by which a stream ends when its engine dies. */
    List<String> death();

    /** Whether a stream whose engine died still ends in a last chunk. */
    default boolean diesCleanly() {
        return true;
    }

    /** The data line of an event. */
    static String data(String json) {
        return "data: " + json + "\n\n";
    }

    /** A named event. */
    static String event(String name, String json) {
        return "event: " + name + "\n" + data(json);
    }

    /** A JSON string. */
    static String quoted(String text) {
        return Json.encode(text);
    }

    /** A JSON string, or null when the completion ran to its length. */
    static String stopReason(Completion completion) {
        String stop = completion.stop();
        return stop == null ? "null" : quoted(stop);
    }
}
