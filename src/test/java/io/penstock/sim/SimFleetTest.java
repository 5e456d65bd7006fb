package io.penstock.sim;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.Vertx;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.junit5.VertxExtension;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(VertxExtension.class)
class SimFleetTest {

    private static final SimOptions OPTIONS = SimOptions.standard(System::nanoTime, System::currentTimeMillis);

    private SimFleet fleet;

    @BeforeEach
    void start(Vertx vertx) {
        fleet = SimFleet.start(vertx, List.of(OPTIONS.withName("a"), OPTIONS.withName("b")), "127.0.0.1", 0)
                .await();
    }

    @Test
    void stopsAndStartsReplicasWhosePortIsClosed() throws Exception {
        int port = fleet.replicas().get(1).port();

        assertThat(new JsonObject(control("POST", "/replicas/1/stop").body()).getBoolean("running"))
                .isFalse();
        assertThat(RawClient.isRefused(port)).isTrue();
        assertThat(new JsonArray(control("GET", "/replicas").body())
                        .getJsonObject(0)
                        .getBoolean("running"))
                .isTrue();

        assertThat(control("POST", "/replicas/1/start").statusCode()).isEqualTo(200);
        assertThat(RawClient.isRefused(port)).isFalse();
    }

    @Test
    void startsLaterWhenAsked() throws Exception {
        int port = fleet.replicas().get(0).port();
        control("POST", "/replicas/0/stop");

        assertThat(control("POST", "/replicas/0/start?after=200").statusCode()).isEqualTo(200);

        assertThat(RawClient.isRefused(port)).isTrue();
        FaultTest.until(() -> fleet.replicas().get(0).isRunning());
    }

    @Test
    void switchesFaultsOfOneReplica() throws Exception {
        JsonObject state = new JsonObject(
                control("POST", "/replicas/0/fault?name=status&arg=503").body());

        assertThat(state.getJsonArray("faults")).containsExactly("status:503");
        assertThat(fleet.replicas().get(1).faults().active()).isEmpty();
        control("POST", "/replicas/0/clear");
        assertThat(fleet.replicas().get(0).faults().active()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "/replicas/2/stop, 404",
        "/replicas/x/stop, 404",
        "/replicas/0/fault?name=nope, 400",
        "/replicas/0/start?after=soon, 400"
    })
    void saysWhatIsWrong(String path, int status) throws Exception {
        HttpResponse<String> response = control("POST", path);

        assertThat(response.statusCode()).isEqualTo(status);
        assertThat(new JsonObject(response.body()).getString("error")).isNotBlank();
    }

    @Test
    void closesEverythingWhenOnePortIsTaken(Vertx vertx) throws IOException {
        int taken = fleet.replicas().get(0).port();
        int free = fleet.replicas().get(1).port();
        fleet.replicas().get(1).close().await();

        assertThatThrownBy(() -> SimFleet.start(
                                vertx,
                                List.of(
                                        OPTIONS.withAddress("127.0.0.1", free),
                                        OPTIONS.withAddress("127.0.0.1", taken)),
                                "127.0.0.1",
                                0)
                        .await())
                .isInstanceOf(IOException.class);

        assertThat(RawClient.isRefused(free)).isTrue();
    }

    @Test
    void endsAltogether() throws IOException {
        fleet.close().await();

        assertThat(RawClient.isRefused(fleet.controlPort())).isTrue();
        assertThat(RawClient.isRefused(fleet.replicas().get(0).port())).isTrue();
    }

    private HttpResponse<String> control(String method, String path) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + fleet.controlPort() + path))
                .method(method, HttpRequest.BodyPublishers.noBody())
                .build();
        return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
    }
}
