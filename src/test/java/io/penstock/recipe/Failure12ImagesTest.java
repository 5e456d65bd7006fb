package io.penstock.recipe;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.config.PenstockConfig;
import io.penstock.proxy.front.Client;
import io.penstock.proxy.front.Script;
import io.penstock.proxy.front.ScriptedReplica;
import io.penstock.proxy.front.Setting;
import io.penstock.proxy.front.Stage;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Recipe failure 12: a request with an image gets 413, since bodies may have 1 MB. */
class Failure12ImagesTest {

    @ParameterizedTest
    @ValueSource(ints = {2, 20})
    void requestWithAnImageOfSoManyMegabytesPasses(int megabytes) throws Exception {
        byte[] image = new byte[megabytes * 1_000_000 * 3 / 4];
        new Random(5).nextBytes(image);
        byte[] body = ("{\"model\":\"m\",\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":"
                        + "\"image_url\",\"image_url\":{\"url\":\"data:image/png;base64,"
                        + Base64.getEncoder().encodeToString(image) + "\"}}]}]}")
                .getBytes(StandardCharsets.UTF_8);
        try (ScriptedReplica replica = ScriptedReplica.start().always(Script.stream("data: 1\n\n", Script.DONE));
                Stage stage = Setting.with(replica).open();
                Client client = Client.to(stage)) {
            client.send(Client.request("POST", "/v1/chat/completions", "Content-Length: " + body.length))
                    .send(body);
            assertThat(client.reply().status()).isEqualTo(200);
            assertThat(replica.call(0).body).isEqualTo(body);
            assertThat(stage.report(0).stream()).isTrue();
            assertThat(stage.report(0).model()).isEqualTo("m");
        }
    }

    @Test
    void bodyBeyondTheLimitGetsAClear413() throws Exception {
        assertThat(PenstockConfig.Limits.DEFAULT.bodyBytes()).isEqualTo(64L << 20);
        try (ScriptedReplica replica = ScriptedReplica.start();
                Stage stage = Setting.with(replica).open();
                Client client = Client.to(stage)) {
            client.send(Client.request("POST", "/v1/chat/completions", "Content-Length: " + ((64 << 20) + 1)));
            Client.Reply reply = client.reply();
            assertThat(reply.status()).isEqualTo(413);
            assertThat(reply.header("content-type")).isEqualTo("application/json");
            JsonObject error = new JsonObject(reply.body()).getJsonObject("error");
            assertThat(error.getString("type")).isEqualTo("invalid_request_error");
            assertThat(error.getString("code")).isEqualTo("body_too_large");
            assertThat(error.getString("message")).contains("65536 KiB", "limits.body");
        }
    }
}
