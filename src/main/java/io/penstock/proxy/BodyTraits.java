package io.penstock.proxy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.penstock.proxy.ApiTable.Dialect;
import io.penstock.selection.Prompt;
import io.penstock.selection.RequestTraits;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.buffer.BufferInternal;
import java.io.IOException;
import java.io.InputStream;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads what routing wants to know out of a request's body, in one pass: out of a JSON object, or out of the text fields
 * of a form with files, of which the model and whether to stream are all that is known. The body itself is forwarded byte
 * for byte, so this may be as forgiving as it likes: what it cannot read, the replica will answer for. Any thread may
 * call it, one at a time.
 */
final class BodyTraits {

    /** No replica serves a model with a longer name, and whoever sends one gets into no table and no log with it. */
    private static final int LONGEST_MODEL = 512;

    /** Long texts that are skipped are not counted; one longer than this under a key that we read ends the reading. */
    private static final int LONGEST_READ_TEXT = 16 << 10;

    private static final JsonFactory JSON = JsonFactory.builder()
            // Keys are strangers' words: they need no place in a table that the whole JVM shares.
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(LONGEST_READ_TEXT)
                    .build())
            .build();

    /** The words that vLLM's form reader takes for true, in any case. */
    private static final Set<String> TRUE = Set.of("true", "1", "on", "t", "yes", "y");

    /** More tokens than anybody will wait for; whoever asks for more has said nothing. */
    private static final long MOST_TOKENS = 1 << 24;

    /** Digits of a number that fits a long, whatever they are. */
    private static final int MOST_DIGITS = 18;

    private final @Nullable String contentType;
    private final boolean responses;
    private final Caller caller;
    private final long seed;
    private final boolean prompts;

    // The last of several equal keys wins, in JSON and in forms, as in Python.
    private @Nullable String model;
    private boolean stream;
    private long mostTokens;
    // The names that came later; vLLM prefers what they say.
    private long mostNewTokens;
    private long choices = 1;
    private @Nullable String user;

    /**
     * Will read one body.
     *
     * @param contentType the request's Content-Type, null if it has none; all but forms is taken for JSON
     * @param dialect the API that it is for
     * @param caller who sent it, as far as its head says
     * @param seed a number of this process that nobody is told: what hashes begin with
     * @param prompts whether somebody wants to know about the prompt; reading it takes about as long as all the rest
     */
    BodyTraits(@Nullable String contentType, Dialect dialect, Caller caller, long seed, boolean prompts) {
        this.contentType = contentType;
        this.responses = dialect == Dialect.RESPONSES;
        this.caller = caller;
        this.seed = seed;
        this.prompts = prompts;
    }

    /**
     * Reads the traits, once. Never throws, whatever the bytes are.
     *
     * @param body the whole body
     * @return what could be read; without a model if none was found, or one of more than 512 characters, or with control
     *     characters in it
     */
    RequestTraits read(Buffer body) {
        ByteBuf bytes = ((BufferInternal) body).getByteBuf();
        String boundary = FormFields.boundary(contentType);
        Prompt prompt = Prompt.UNKNOWN;
        if (boundary != null) {
            FormFields.read(bytes, boundary, this::formField);
        } else {
            prompt = readJson(bytes);
        }
        String name = user != null && !caller.byKey() ? user : caller.name();
        return new RequestTraits(known(model), stream, body.length(), prompt, longestAnswer(), name);
    }

    private void formField(String name, String value) {
        if (name.equals("model")) {
            model = value;
        } else if (name.equals("stream")) {
            stream = TRUE.contains(value.toLowerCase(Locale.ROOT));
        }
    }

    private Prompt readJson(ByteBuf bytes) {
        PromptReader prompt = null;
        try (JsonParser parser = parser(bytes)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return Prompt.UNKNOWN;
            }
            prompt = new PromptReader(parser, new JsonText(bytes, parser), new SeededHash(seed), responses);
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String key = parser.currentName();
                parser.nextToken();
                member(key, parser, prompt);
                parser.skipChildren();
            }
        } catch (IOException notJson) {
            // What was read before the mistake is as good as anything.
        }
        if (prompt == null || !prompts) {
            return Prompt.UNKNOWN;
        }
        choices = Math.min(MOST_TOKENS, choices * prompt.prompts());
        String served = known(model);
        return prompt.prompt(served == null ? "" : served);
    }

    private void member(String key, JsonParser parser, PromptReader prompt) throws IOException {
        JsonToken value = parser.currentToken();
        switch (key) {
            case "model" -> {
                model = null; // The one before it no longer counts, also if this one cannot be read.
                model = value == JsonToken.VALUE_STRING ? parser.getText() : null;
            }
            case "stream" -> stream = value == JsonToken.VALUE_TRUE;
            case "max_tokens" -> mostTokens = number(parser);
            case "max_completion_tokens", "max_output_tokens" -> mostNewTokens = number(parser);
            case "n" -> choices = value == JsonToken.VALUE_NULL ? 1 : number(parser);
            case "user" ->
                user = value == JsonToken.VALUE_STRING ? HexFormat.of().toHexDigits(prompt.digest()) : null;
            default -> {
                if (prompts) {
                    prompt.read(key);
                }
            }
        }
    }

    /** A whole number, if it is one that could make sense; else 0. */
    private static long number(JsonParser parser) throws IOException {
        boolean whole = parser.currentToken() == JsonToken.VALUE_NUMBER_INT && parser.getTextLength() <= MOST_DIGITS;
        long number = whole ? parser.getLongValue() : 0;
        return number < 0 || number > MOST_TOKENS ? 0 : number;
    }

    private int longestAnswer() {
        long tokens = (mostNewTokens > 0 ? mostNewTokens : mostTokens) * choices;
        return tokens > MOST_TOKENS ? 0 : (int) tokens;
    }

    private static JsonParser parser(ByteBuf bytes) throws IOException {
        return bytes.hasArray()
                ? JSON.createParser(bytes.array(), bytes.arrayOffset(), bytes.readableBytes())
                : JSON.createParser((InputStream) new ByteBufInputStream(bytes));
    }

    private static @Nullable String known(@Nullable String model) {
        if (model == null || model.isEmpty() || model.length() > LONGEST_MODEL) {
            return null;
        }
        boolean readable = model.codePoints()
                .noneMatch(c -> Character.isISOControl(c) || Character.getType(c) == Character.SURROGATE);
        return readable ? model : null;
    }
}
