package io.penstock.proxy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.netty.buffer.ByteBufInputStream;
import io.penstock.selection.RequestTraits;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.buffer.BufferInternal;
import java.io.IOException;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * Reads what routing wants to know out of a request's body, in one pass over its top level. The body itself is forwarded
 * byte for byte, so this may be as forgiving as it likes: what it cannot read, the replica will answer for.
 */
final class BodyTraits {

    private static final JsonFactory JSON = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Integer.MAX_VALUE)
                    .build())
            .build();

    private BodyTraits() {}

    /**
     * Reads the traits.
     *
     * @param body the whole body
     * @return what could be read; without a model if it is not a JSON object
     */
    static RequestTraits read(Buffer body) {
        String model = null;
        boolean stream = false;
        try (InputStream bytes = new ByteBufInputStream(
                        ((BufferInternal) body).getByteBuf().duplicate());
                JsonParser parser = JSON.createParser(bytes)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return new RequestTraits(null, false, body.length());
            }
            // The last of several equal keys wins, as in Python.
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String key = parser.currentName();
                JsonToken value = parser.nextToken();
                if (key.equals("model")) {
                    model = value == JsonToken.VALUE_STRING ? parser.getText() : null;
                } else if (key.equals("stream")) {
                    stream = value == JsonToken.VALUE_TRUE;
                }
                parser.skipChildren();
            }
        } catch (IOException notJson) {
            // What was read before the mistake is as good as anything.
        }
        return new RequestTraits(known(model), stream, body.length());
    }

    private static @Nullable String known(@Nullable String model) {
        return model == null || model.isEmpty() ? null : model;
    }
}
