package io.penstock.proxy;

import io.penstock.proxy.ApiTable.Dialect;
import io.penstock.selection.RequestTraits;
import io.vertx.core.buffer.Buffer;
import java.util.Random;

/** Bodies of requests to measure with, and what routing makes of them. */
public final class Bodies {

    private static final int LONGEST_MESSAGE = 4_000;

    private Bodies() {}

    /** A conversation of random words in messages of about 4 KB, with {@code each25} after every 24 letters. */
    public static Buffer chat(int length, String each25, long seed) {
        Random random = new Random(seed);
        StringBuilder body = new StringBuilder("{\"model\":\"m\",\"stream\":true,\"messages\":[");
        while (body.length() < length) {
            StringBuilder text = new StringBuilder();
            while (text.length() < LONGEST_MESSAGE && text.length() < length) {
                for (int i = 0; i < 24; i++) {
                    text.append((char) ('a' + random.nextInt(26)));
                }
                text.append(each25);
            }
            body.append("{\"role\":\"user\",\"content\":\"").append(text).append("\"},");
        }
        body.setLength(body.length() - 1);
        return Buffer.buffer(body.append("]}").toString());
    }

    /** One message in which every character is escaped. */
    static Buffer escaped(int length) {
        String text = "\\u4f60\\u597d".repeat(length / 12);
        return Buffer.buffer("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"" + text + "\"}]}");
    }

    /** A short conversation with long descriptions of tools. */
    static Buffer tools(int length) {
        String tool =
                "{\"type\":\"function\",\"function\":{\"name\":\"read\",\"description\":\"Reads a file of the project"
                        + " and gives its text\",\"parameters\":{\"type\":\"object\",\"properties\":{\"path\":{\"type\":"
                        + "\"string\",\"description\":\"where\"},\"from\":{\"type\":\"integer\"}},\"required\":[\"path\"]}}},";
        String tools = tool.repeat(length / tool.length());
        String chat = chat(2_000, " ", 1).toString();
        return Buffer.buffer(
                chat.substring(0, chat.length() - 1) + ",\"tools\":[" + tools.substring(0, tools.length() - 1) + "]}");
    }

    /** A completion whose prompt was made tokens by the client. */
    static Buffer ids(int tokens) {
        return Buffer.buffer("{\"model\":\"m\",\"prompt\":[" + "12345,".repeat(tokens - 1) + "1]}");
    }

    /** The same body as it comes in over a socket. */
    static Buffer blocks(Buffer whole) {
        BodyBlocks blocks = new BodyBlocks();
        blocks.append(whole, whole.length());
        return blocks.whole();
    }

    /** What routing knows of a body, and of its prompt if that is read. */
    public static RequestTraits traits(Buffer body, boolean prompts) {
        return new BodyTraits("application/json", Dialect.OPENAI, new Caller("someone", false), 7, prompts).read(body);
    }
}
