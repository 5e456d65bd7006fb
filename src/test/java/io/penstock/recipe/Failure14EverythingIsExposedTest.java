package io.penstock.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.proxy.ApiTable;
import io.penstock.proxy.front.Client;
import io.penstock.proxy.front.ScriptedReplica;
import io.penstock.proxy.front.Setting;
import io.penstock.proxy.front.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

/** Recipe failure 14, the part of the paths: whatever vLLM exposes is exposed, its control endpoints included. */
class Failure14EverythingIsExposedTest {

    /** Ways to spell a path that some servers take for the path itself. */
    private static List<String> spellings(String path) {
        String escaped = "/" + String.format(Locale.ROOT, "%%%02x", (int) path.charAt(1)) + path.substring(2);
        List<String> all = new ArrayList<>(List.of(
                path,
                escaped,
                escaped.toUpperCase(Locale.ROOT),
                path + "/",
                "/" + path,
                "/." + path,
                "/v1/.." + path,
                "/v1/%2e%2e" + path,
                "/v1/chat/completions/../../.." + path,
                "/v1/models/.." + path,
                "/v1/models/%2e%2e/%2e%2e" + path,
                path + "?x=1",
                path + ";x=1",
                path + "%00",
                path + "%20",
                "/%2f" + path.substring(1),
                "\\" + path.substring(1),
                "http://front:8000" + path,
                "http://front:8000/" + escaped));
        if (path.indexOf('/', 1) > 0) {
            int slash = path.indexOf('/', 1);
            all.add(path.substring(0, slash) + "%2F" + path.substring(slash + 1));
            all.add(path.substring(0, slash) + "//" + path.substring(slash + 1));
        }
        return all;
    }

    @Test
    void noSpellingOfAControlEndpointReachesAReplica() throws Exception {
        List<String> closed = new ArrayList<>(ApiTable.controlPaths());
        closed.addAll(List.of("/metrics", "/docs", "/openapi.json", "/redoc"));
        try (ScriptedReplica replica = ScriptedReplica.start();
                Stage stage = Setting.with(replica).open()) {
            for (String path : closed) {
                try (Client client = Client.to(stage)) {
                    for (String spelling : spellings(path)) {
                        Client.Reply reply = client.send(Client.request("POST", spelling, "Content-Length: 0"))
                                .reply();
                        assertThat(reply.status()).as(spelling).isIn(400, 403, 404, 405);
                    }
                }
            }
            assertThat(replica.calls()).isEmpty();
        }
    }

    @Test
    void openPathIsAskedForInItsPlainSpelling() throws Exception {
        try (ScriptedReplica replica = ScriptedReplica.start();
                Stage stage = Setting.with(replica).open();
                Client client = Client.to(stage)) {
            client.send(Client.post("/v1/%63hat/completions?a=%2F", "{}")).reply();
            assertThat(replica.call(0).requestLine()).isEqualTo("POST /v1/chat/completions?a=%2F HTTP/1.1");
        }
    }
}
