package io.penstock.proxy;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.penstock.selection.Prompt;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Reads a prompt out of a request's body, whichever API it is for: {@code messages} and {@code tools} (OpenAI's chat,
 * Anthropic's messages, whose {@code system} is read like a first message), {@code prompt} (completions), {@code
 * instructions} and {@code input} (responses).
 *
 * <p>Requests whose prompts begin with the same tokens should get the same first pieces, and others different ones. So
 * keys count by what they mean and not by where they stand, and everything is chained in the order in which chat
 * templates write it: the model and what else changes the first token or who may share a cache, the system's words, the
 * tools, the conversation. (Qwen's, Llama's and gpt-oss' templates put tools behind the system's words; others in front
 * of them. Agents that share their tools and not their system prompts are common, so this is also the careful order.)
 *
 * <p>Lengths are told in bytes of text, four of which are taken for a token: OpenAI's rule of thumb for English, and what
 * {@link Prompt#PIECE_BYTES} rests on. A token that the client made itself counts as four bytes. Confined to one thread.
 */
final class PromptReader {

    private static final int BYTES_PER_TOKEN = 4;

    /** What a template writes around a message: about four tokens. */
    private static final int MESSAGE_BYTES = 4 * BYTES_PER_TOKEN;

    /** A guess for any image, clip or recording: a picture of a million pixels is about a thousand tokens. */
    private static final int MEDIUM_BYTES = 1000 * BYTES_PER_TOKEN;

    private static final int IDS_PER_PIECE = Prompt.PIECE_BYTES / BYTES_PER_TOKEN;

    private final JsonParser parser;
    private final SeededHash hash;
    private final boolean conversationInInput;
    private final JsonText strings;
    private final ValueDigest digest;
    private final PieceCutter text;
    private final long systemRole;
    private final long developerRole;

    private final PromptLinks system = PromptLinks.kept();
    private final PromptLinks tools = PromptLinks.kept();
    private final PromptLinks messages = PromptLinks.kept();
    private final PromptLinks completion = PromptLinks.kept();
    // Not chained: further prompts of the same request, and what no generation begins with.
    private final PromptLinks aside = PromptLinks.counted();
    // Where the system's words end in the messages.
    private int lead;
    private int prompts = 1;
    private long start;

    // Of the message that is being read: what was said beside its content, in whatever order it stood.
    private long besides;
    private long besidesBytes;
    private int parts;

    /**
     * Reads along with a parser.
     *
     * @param parser has read its first token
     * @param strings reads its strings
     * @param conversationInInput whether {@code input} is a conversation, and not texts to embed
     */
    PromptReader(JsonParser parser, JsonText strings, SeededHash hash, boolean conversationInInput) {
        this.parser = parser;
        this.strings = strings;
        this.hash = hash;
        this.conversationInInput = conversationInInput;
        this.digest = new ValueDigest(parser, strings, hash);
        this.text = new PieceCutter(hash, aside);
        this.systemRole = digest.of("system");
        this.developerRole = digest.of("developer");
    }

    /** Reads the parser's current value, if a key of the body's top level has to do with the prompt. */
    void read(String key) throws IOException {
        switch (key) {
            case "messages" -> conversation(messages);
            case "system", "instructions" -> {
                system.clear();
                if (parser.currentToken() != JsonToken.VALUE_NULL) {
                    said(system, "system");
                }
            }
            case "tools" -> {
                tools.clear();
                if (parser.currentToken() == JsonToken.START_ARRAY) {
                    text.turnTo(tools);
                    digest.write(text);
                    text.cut();
                }
            }
            case "prompt", "token_ids" -> {
                completion.clear();
                prompts = completions(completion);
            }
            case "input" -> {
                if (conversationInInput) {
                    conversation(messages);
                } else {
                    completions(aside);
                }
            }
            case "text", "texts", "text_1", "text_2", "query", "queries" -> completions(aside);
            case "cache_salt", "chat_template", "reasoning_effort", "documents" -> {
                long value = digest.read();
                start += hash.join(hash.of(key), value);
                aside.count(key.equals("documents") ? digest.bytes() : 0);
            }
            default -> {}
        }
    }

    /** How many prompts the request has; each is answered. */
    int prompts() {
        return prompts;
    }

    /** A hash of the parser's current value. */
    long digest() throws IOException {
        return digest.read();
    }

    /** What was read. Nothing may be read after it. */
    Prompt prompt(String model) {
        text.cut(); // A body that was cut short left something.
        long bytes = system.bytes() + tools.bytes() + messages.bytes() + completion.bytes();
        PromptLinks.Chain chain = new PromptLinks.Chain(hash, hash.join(start, hash.of(model)), bytes);
        chain.add(system, 0, system.size());
        chain.add(messages, 0, lead);
        chain.add(tools, 0, tools.size());
        chain.add(messages, lead, messages.size());
        chain.add(completion, 0, completion.size());
        long tokens = (bytes + aside.bytes() + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN;
        return new Prompt((int) Math.min(Integer.MAX_VALUE, tokens), chain.pieces());
    }

    // ---- conversations ------------------------------------------------------------------------------------------

    private void conversation(PromptLinks to) throws IOException {
        to.clear();
        lead = 0;
        if (parser.currentToken() == JsonToken.VALUE_STRING) {
            said(to, "user");
        } else if (parser.currentToken() == JsonToken.START_ARRAY) {
            prompts = Math.max(1, conversations(to));
        }
    }

    /** An array of messages, or of conversations, of which the first gives the pieces. Returns how many of these. */
    private int conversations(PromptLinks to) throws IOException {
        int nested = 0;
        boolean first = true;
        for (JsonToken each = parser.nextToken(); open(each); each = parser.nextToken()) {
            if (each == JsonToken.START_OBJECT) {
                message(to, first);
            } else if (each == JsonToken.START_ARRAY) {
                nested++;
                conversations(first ? to : aside);
            }
            first = false;
        }
        return nested;
    }

    private static boolean open(@Nullable JsonToken token) {
        return token != null && token != JsonToken.END_ARRAY;
    }

    private void said(PromptLinks to, String role) throws IOException {
        to.add(digest.of(role), MESSAGE_BYTES);
        beginMessage(to);
        content(to);
        endMessage(to);
    }

    private void message(PromptLinks to, boolean first) throws IOException {
        int speaker = to.size();
        boolean leads = false;
        to.add(0, MESSAGE_BYTES);
        beginMessage(to);
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            JsonToken value = parser.nextToken();
            switch (key) {
                case "role" -> {
                    long role = digest.read();
                    to.replace(speaker, role);
                    leads = role == systemRole || role == developerRole;
                }
                case "content" -> content(to);
                case "name",
                        "tool_calls",
                        "function_call",
                        "tool_call_id",
                        "reasoning",
                        "reasoning_content",
                        "summary",
                        "call_id",
                        "arguments",
                        "output" -> beside(key, value);
                default -> parser.skipChildren();
            }
        }
        endMessage(to);
        if (first && leads && to == messages) {
            lead = to.size();
        }
    }

    private void beginMessage(PromptLinks to) {
        text.turnTo(to);
        besides = 0;
        besidesBytes = 0;
        parts = 0;
    }

    private void endMessage(PromptLinks to) {
        text.cut();
        if (besidesBytes > 0) {
            to.add(besides, (int) Math.min(Integer.MAX_VALUE, besidesBytes));
        }
    }

    /** Says nothing if it is null or empty, as in messages that a client took out of an answer. */
    private void beside(String key, JsonToken value) throws IOException {
        if (value == JsonToken.VALUE_NULL) {
            return;
        }
        long said = digest.read();
        if (digest.bytes() > (value == JsonToken.VALUE_STRING ? 1 : 2)) {
            besides += hash.join(hash.join(hash.of(key), parts), said);
            besidesBytes += digest.bytes();
        }
    }

    private void content(PromptLinks to) throws IOException {
        JsonToken value = parser.currentToken();
        if (value == JsonToken.VALUE_STRING) {
            strings.read(text);
        } else if (value == JsonToken.START_ARRAY) {
            boolean afterText = false;
            for (JsonToken each = parser.nextToken(); open(each); each = parser.nextToken()) {
                parts++;
                if (each == JsonToken.START_OBJECT) {
                    afterText = part(to, afterText);
                } else if (each == JsonToken.VALUE_STRING) {
                    afterText = words(afterText);
                } else {
                    parser.skipChildren();
                }
            }
        } else if (value == JsonToken.START_OBJECT) {
            part(to, /* afterText= */ false);
        }
    }

    /** Two parts of text are one text of two lines, as vLLM makes it for templates that take strings. */
    private boolean words(boolean afterText) throws IOException {
        if (afterText) {
            text.add('\n');
        }
        strings.read(text);
        return true;
    }

    /** Returns whether it ended with text. */
    private boolean part(PromptLinks to, boolean afterText) throws IOException {
        boolean wordy = afterText;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String key = parser.currentName();
            JsonToken value = parser.nextToken();
            switch (key) {
                case "text", "thinking" -> wordy = value == JsonToken.VALUE_STRING ? words(wordy) : wordy;
                case "content" -> content(to);
                case "image_url",
                        "video_url",
                        "audio_url",
                        "input_audio",
                        "image_embeds",
                        "source",
                        "file",
                        "file_data",
                        "file_url" -> {
                    if (value != JsonToken.VALUE_NULL) {
                        text.cut();
                        to.add(digest.read(), MEDIUM_BYTES);
                        wordy = false;
                    }
                }
                case "name", "input" -> beside(key, value);
                default -> {}
            }
            parser.skipChildren();
        }
        return wordy;
    }

    // ---- completions --------------------------------------------------------------------------------------------

    /** One prompt, or an array of them, of which the first gives the pieces. Returns how many there are. */
    private int completions(PromptLinks to) throws IOException {
        JsonToken value = parser.currentToken();
        if (value == JsonToken.VALUE_STRING) {
            completion(to);
            return 1;
        }
        if (value != JsonToken.START_ARRAY) {
            return 1;
        }
        int count = 0;
        for (JsonToken each = parser.nextToken(); open(each); each = parser.nextToken()) {
            PromptLinks target = count == 0 ? to : aside;
            if (each == JsonToken.VALUE_NUMBER_INT) {
                ids(target);
                return Math.max(1, count);
            } else if (each == JsonToken.VALUE_STRING) {
                completion(target);
                count++;
            } else if (each == JsonToken.START_ARRAY) {
                parser.nextToken();
                ids(target);
                count++;
            } else {
                parser.skipChildren();
            }
        }
        return Math.max(1, count);
    }

    private void completion(PromptLinks to) throws IOException {
        text.turnTo(to);
        strings.read(text);
        text.cut();
    }

    /** Token ids up to the end of their array. */
    private void ids(PromptLinks to) throws IOException {
        long link = 0;
        int count = 0;
        for (JsonToken each = parser.currentToken(); open(each); each = parser.nextToken()) {
            if (each != JsonToken.VALUE_NUMBER_INT) {
                parser.skipChildren();
                continue;
            }
            link = hash.join(link, parser.getTextLength() < 10 ? parser.getIntValue() : -1);
            if (++count == IDS_PER_PIECE) {
                to.add(link, Prompt.PIECE_BYTES);
                link = 0;
                count = 0;
            }
        }
        if (count > 0) {
            to.add(link, count * BYTES_PER_TOKEN);
        }
    }
}
