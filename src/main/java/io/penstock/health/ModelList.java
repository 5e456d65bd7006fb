package io.penstock.health;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a replica said about the models it serves.
 *
 * @param ids the models; null if its list cannot be read
 * @param answered whether it answered at all; if not, what was known before still holds
 */
record ModelList(@Nullable Set<String> ids, boolean answered) {

    /** It gave no answer in time, or none that ended. */
    static final ModelList SILENT = new ModelList(null, false);

    /** It answered, but not with a list: no such route, no permission, or something else. */
    static final ModelList UNREADABLE = new ModelList(null, true);

    /** Longer lists are not read. */
    static final int MAX_BYTES = 1 << 20;

    private static final JsonFactory JSON = new JsonFactory();

    /**
     * Reads {@code {"data": [{"id": "…"}, …]}}, the shape of OpenAI's list.
     *
     * @param body a whole body
     * @return the list, or {@link #UNREADABLE}
     */
    static ModelList of(byte[] body) {
        try (JsonParser parser = JSON.createParser(body)) {
            Set<String> ids = null;
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return UNREADABLE;
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                boolean data = "data".equals(parser.currentName());
                if (parser.nextToken() == JsonToken.START_ARRAY && data) {
                    ids = idsOf(parser);
                } else {
                    parser.skipChildren();
                }
            }
            return ids == null ? UNREADABLE : new ModelList(Set.copyOf(ids), true);
        } catch (IOException notJson) {
            return UNREADABLE;
        }
    }

    private static Set<String> idsOf(JsonParser parser) throws IOException {
        Set<String> ids = new LinkedHashSet<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (parser.currentToken() != JsonToken.START_OBJECT) {
                parser.skipChildren();
                continue;
            }
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                boolean id = "id".equals(parser.currentName());
                if (parser.nextToken() == JsonToken.VALUE_STRING && id) {
                    ids.add(parser.getText());
                } else {
                    parser.skipChildren();
                }
            }
        }
        return ids;
    }
}
