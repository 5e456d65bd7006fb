package io.penstock.proxy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufInputStream;
import io.penstock.selection.RequestTraits;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.buffer.BufferInternal;
import java.io.IOException;
import java.io.InputStream;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads what routing wants to know out of a request's body, in one pass: out of the top level of a JSON object, or out of
 * the text fields of a form with files. The body itself is forwarded byte for byte, so this may be as forgiving as it
 * likes: what it cannot read, the replica will answer for. Any thread may call it.
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

    // The last of several equal keys wins, in JSON and in forms, as in Python.
    private @Nullable String model;
    private boolean stream;

    private BodyTraits() {}

    /**
     * Reads the traits. Never throws, whatever the bytes are.
     *
     * @param body the whole body
     * @param contentType the request's Content-Type, null if it has none; all but forms is taken for JSON
     * @return what could be read; without a model if none was found, or one of more than 512 characters, or with control
     *     characters in it
     */
    static RequestTraits read(Buffer body, @Nullable String contentType) {
        BodyTraits traits = new BodyTraits();
        ByteBuf bytes = ((BufferInternal) body).getByteBuf();
        String boundary = FormFields.boundary(contentType);
        if (boundary != null) {
            FormFields.read(bytes, boundary, traits::formField);
        } else {
            traits.readJson(bytes);
        }
        return new RequestTraits(known(traits.model), traits.stream, body.length());
    }

    private void formField(String name, String value) {
        if (name.equals("model")) {
            model = value;
        } else if (name.equals("stream")) {
            stream = TRUE.contains(value.toLowerCase(Locale.ROOT));
        }
    }

    private void readJson(ByteBuf bytes) {
        try (JsonParser parser = parser(bytes)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return;
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String key = parser.currentName();
                JsonToken value = parser.nextToken();
                if (key.equals("model")) {
                    model = null; // The one before it no longer counts, also if this one cannot be read.
                    model = value == JsonToken.VALUE_STRING ? parser.getText() : null;
                } else if (key.equals("stream")) {
                    stream = value == JsonToken.VALUE_TRUE;
                }
                parser.skipChildren();
            }
        } catch (IOException notJson) {
            // What was read before the mistake is as good as anything.
        }
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
