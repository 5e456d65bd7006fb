package io.penstock.proxy;

import com.sun.management.ThreadMXBean;
import io.penstock.proxy.ApiTable.Dialect;
import io.penstock.selection.RequestTraits;
import io.vertx.core.buffer.Buffer;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** Measures what reading a body costs. Run its main by hand; it is no test. */
final class BodyTraitsTimes {

    private static final int ROUNDS = 3000;

    private BodyTraitsTimes() {}

    public static void main(String[] args) {
        Map<String, Buffer> bodies = new TreeMap<>();
        bodies.put("220 KB chat, plain text", chat(220_000, " "));
        bodies.put("220 KB chat, an escape each 25 characters", chat(220_000, "\\n"));
        bodies.put("220 KB chat, all characters escaped", escaped(220_000));
        bodies.put("220 KB chat in blocks", blocks(chat(220_000, " ")));
        bodies.put("2 KB chat", chat(2_000, " "));
        bodies.put("60 KB of tools, 2 KB of chat", tools());
        bodies.put("900 KB chat in blocks", blocks(chat(900_000, " ")));
        bodies.put("40000 token ids", Buffer.buffer("{\"model\":\"m\",\"prompt\":[" + "12345,".repeat(39_999) + "1]}"));
        for (int pass = 0; pass < 2; pass++) {
            bodies.forEach((name, body) -> measure(name, body, System.out));
        }
    }

    private static void measure(String name, Buffer body, PrintStream out) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long thread = Thread.currentThread().getId();
        Caller caller = new Caller("someone", false);
        long[] nanos = new long[ROUNDS];
        long bytes = 0;
        int tokens = 0;
        for (int i = 0; i < ROUNDS; i++) {
            long before = threads.getThreadAllocatedBytes(thread);
            long start = System.nanoTime();
            RequestTraits traits = new BodyTraits("application/json", Dialect.OPENAI, caller, 7, true).read(body);
            nanos[i] = System.nanoTime() - start;
            bytes = threads.getThreadAllocatedBytes(thread) - before;
            tokens = traits.prompt().tokens();
        }
        Arrays.sort(nanos);
        out.printf(
                "%-45s median %5d us, p90 %5d us, allocates %6d bytes, %d tokens%n",
                name, nanos[ROUNDS / 2] / 1000, nanos[ROUNDS * 9 / 10] / 1000, bytes, tokens);
    }

    private static Buffer chat(int length, String each25) {
        Random random = new Random(1);
        StringBuilder body = new StringBuilder("{\"model\":\"m\",\"stream\":true,\"messages\":[");
        while (body.length() < length) {
            StringBuilder text = new StringBuilder();
            while (text.length() < 4000 && text.length() < length) {
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

    private static Buffer escaped(int length) {
        String text = "\\u4f60\\u597d".repeat(length / 12);
        return Buffer.buffer("{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"" + text + "\"}]}");
    }

    private static Buffer tools() {
        String tool =
                "{\"type\":\"function\",\"function\":{\"name\":\"read\",\"description\":\"Reads a file of the project"
                        + " and gives its text\",\"parameters\":{\"type\":\"object\",\"properties\":{\"path\":{\"type\":"
                        + "\"string\",\"description\":\"where\"},\"from\":{\"type\":\"integer\"}},\"required\":[\"path\"]}}},";
        String tools = tool.repeat(60_000 / tool.length());
        String chat = chat(2_000, " ").toString();
        return Buffer.buffer(
                chat.substring(0, chat.length() - 1) + ",\"tools\":[" + tools.substring(0, tools.length() - 1) + "]}");
    }

    private static Buffer blocks(Buffer whole) {
        BodyBlocks blocks = new BodyBlocks();
        blocks.append(whole, whole.length());
        return blocks.whole();
    }
}
