package io.penstock;

import static com.microsoft.playwright.assertions.PlaywrightAssertions.assertThat;
import static org.assertj.core.api.Assertions.assertThat;

import com.deque.html.axecore.playwright.AxeBuilder;
import com.deque.html.axecore.results.AxeResults;
import com.microsoft.playwright.Locator;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.assertions.LocatorAssertions;
import com.microsoft.playwright.options.ColorScheme;
import io.penstock.sim.Fault;
import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The live page, in a real browser, on a whole Penstock with simulated replicas. */
@Tag("browser")
@Timeout(120)
@SuppressWarnings("NullAway.Init") // Opened before the first test.
class LivePageInABrowserTest {

    private static final Path PICTURES = Path.of("target", "page");
    private static final String SECRET_PROMPT = "the heron flies at midnight";

    private static Browsing browser;

    private final HttpClient http = HttpClient.newHttpClient();

    @BeforeAll
    static void open() {
        browser = Browsing.open();
    }

    @AfterAll
    static void close() {
        if (browser != null) {
            browser.close();
        }
    }

    @Test
    void loadsWithoutComplaintsAndAsksNobodyElse() throws Exception {
        try (Fleet fleet = Fleet.start(3, Fleet.QUICK)) {
            Page page = browser.desk(fleet.page());

            assertThat(page.locator("[data-standing=READY]")).hasCount(3);
            assertThat(page.locator("#try")).isVisible();
            fleet.clients(5);
            assertThat(page.locator("#decisions tbody tr").first()).isVisible();
            assertThat(page.locator("#try")).isHidden();

            page.close();
            assertThat(browser.complaints(page)).isEmpty();
            assertThat(browser.asked(page)).isNotEmpty().allMatch(url -> url.startsWith(fleet.page()));
        }
    }

    @Test
    void aKilledReplicaIsRedWithinThreeSecondsAndNamedAtTheTop() throws Exception {
        try (Fleet fleet = Fleet.start(3, "")) {
            DemoTraffic clients = fleet.clients(8);
            Page page = browser.desk(fleet.page());
            assertThat(page.locator("[data-standing=READY]")).hasCount(3);

            Fleet.await(fleet.replica(1).stop());

            assertThat(card(page, 1)).hasAttribute("data-tone", "bad", within(3000));
            assertThat(page.locator("#headline-text")).containsText("vllm1");
            assertThat(page.locator("#incidents li").first()).isVisible();

            Fleet.await(fleet.replica(1).restart());
            assertThat(card(page, 1)).hasAttribute("data-tone", "good", within(5000));
            assertThat(clients.unanswered()).isZero();
            page.close();
        }
    }

    @Test
    void drainAsksFirstAndWorks() throws Exception {
        try (Fleet fleet = Fleet.start(2, Fleet.QUICK)) {
            Page page = browser.desk(fleet.page());
            Locator drain = card(page, 0).locator("button.drain");

            drain.click();
            assertThat(page.locator("#change")).isVisible();
            page.locator("#change-cancel").click();
            assertThat(page.locator("#change")).isHidden();
            assertThat(draining(fleet)).isFalse();

            drain.click();
            page.locator("#change-go").click();
            assertThat(card(page, 0)).hasAttribute("data-standing", "DRAINING", within(3000));
            assertThat(draining(fleet)).isTrue();

            assertThat(drain).hasText("Undrain");
            drain.click();
            page.locator("#change-go").click();
            assertThat(card(page, 0)).hasAttribute("data-standing", "READY", within(3000));
            assertThat(draining(fleet)).isFalse();
            page.close();
        }
    }

    @Test
    void withAnAdminKeyAChangeAsksForIt() throws Exception {
        try (Fleet fleet =
                Fleet.start(2, Fleet.QUICK + "admin: {listen: \"127.0.0.1:0\", key: \"open-sesame-0123\"}\n")) {
            Page page = browser.desk(fleet.page());
            card(page, 0).locator("button.drain").click();
            page.locator("#change-go").click();

            assertThat(page.locator("#change-key")).isVisible();
            page.locator("#change-key").fill("wrong");
            page.locator("#change-go").click();
            assertThat(page.locator("#change-error")).not().isEmpty();
            assertThat(draining(fleet)).isFalse();

            page.locator("#change-key").fill("open-sesame-0123");
            page.locator("#change-go").click();
            assertThat(card(page, 0)).hasAttribute("data-standing", "DRAINING", within(3000));
            assertThat(page.content()).doesNotContain("open-sesame-0123");
            page.close();
        }
    }

    @Test
    void aReceiptOpensByKeyboardAndHoldsNoPrompt() throws Exception {
        try (Fleet fleet = Fleet.start(2, Fleet.QUICK)) {
            Page page = browser.desk(fleet.page());
            ask(fleet, SECRET_PROMPT, "req-7");
            Locator row = page.locator("tr[data-request=req-7] button");
            assertThat(row).isVisible();

            row.focus();
            page.keyboard().press("Enter");

            assertThat(page.locator("#receipt")).isVisible();
            assertThat(page.locator("#receipt-body")).containsText("vllm0");
            assertThat(page.locator("#receipt-body")).containsText("vllm1");
            assertThat(page.content()).doesNotContain(SECRET_PROMPT);
            page.keyboard().press("Escape");
            assertThat(page.locator("#receipt")).isHidden();
            assertThat(row).isFocused();
            page.close();
        }
    }

    @Test
    void aThousandRequestsASecondDoNotFreezeIt() throws Exception {
        try (Fleet fleet = Fleet.startFast(3, Fleet.QUICK);
                Flood flood = new Flood(fleet.port())) {
            Page page = browser.desk(fleet.page());
            assertThat(page.locator("#decisions tbody tr").first()).isVisible();
            page.waitForTimeout(3000);
            long before = flood.answered();
            long began = System.nanoTime();
            List<?> figures = (List<?>) Objects.requireNonNull(page.evaluate("""
                    () => new Promise((done) => {
                      let longest = 0, last = performance.now(), end = last + 5000, updates = 0;
                      new MutationObserver(() => updates++).observe(document.getElementById('source-rate'),
                        {childList: true, characterData: true, subtree: true});
                      const frame = (now) => {
                        longest = Math.max(longest, now - last);
                        last = now;
                        if (now < end) requestAnimationFrame(frame); else done([longest, updates]);
                      };
                      requestAnimationFrame(frame);
                    })"""));
            double rate = (flood.answered() - before) / ((System.nanoTime() - began) / 1e9);
            double longestFrame = ((Number) Objects.requireNonNull(figures.get(0))).doubleValue();
            int updates = ((Number) Objects.requireNonNull(figures.get(1))).intValue();
            System.out.printf(
                    "%.0f requests/s; longest frame %.0f ms; %d updates in 5 s%n", rate, longestFrame, updates);
            assertThat(rate).isGreaterThan(1000);
            assertThat(longestFrame).isLessThan(1000);
            assertThat(updates).isBetween(1, 6);
            page.close();
        }
    }

    @Test
    void aLostConnectionIsSaidAndMendsItself() throws Exception {
        Page page;
        int port;
        try (Fleet fleet = Fleet.start(2, Fleet.QUICK)) {
            page = browser.desk(fleet.page());
            port = fleet.penstock().adminPort();
            assertThat(page.locator("#connection")).hasAttribute("data-state", "live", within(5000));
        }
        assertThat(page.locator("#connection")).hasAttribute("data-state", "lost", within(5000));

        try (Fleet next = Fleet.start(2, Fleet.QUICK + "admin: 127.0.0.1:" + port + "\n")) {
            assertThat(next.penstock().adminPort()).isEqualTo(port);
            assertThat(page.locator("#connection")).hasAttribute("data-state", "live", within(15_000));
            page.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"1280,900", "390,844", "360,640"})
    void nothingHangsOverTheEdge(int width, int height) throws Exception {
        try (Fleet fleet = Fleet.start(3, Fleet.QUICK)) {
            fleet.clients(5);
            Page page = browser.open(fleet.page(), width, height, ColorScheme.DARK);
            assertThat(page.locator("#decisions tbody tr").first()).isVisible();

            assertThat((List<?>) page.evaluate("""
                            (width) => [...document.querySelectorAll('body *')]
                              .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > width + 0.5)
                              .map((each) => each.tagName + '#' + each.id + '.' + each.className
                                + ' ' + each.getBoundingClientRect().right)""", width)).isEmpty();
            assertThat((Integer) page.evaluate("() => document.documentElement.scrollWidth"))
                    .isLessThanOrEqualTo(width);
            page.close();
        }
    }

    @ParameterizedTest
    @CsvSource({"LIGHT,1280", "DARK,1280", "LIGHT,390"})
    void axeFindsNothingSerious(ColorScheme colours, int width) throws Exception {
        try (Fleet fleet = Fleet.start(3, Fleet.QUICK)) {
            fleet.clients(5);
            Page page = browser.open(fleet.page(), width, 900, colours);
            Fleet.await(fleet.replica(1).stop());
            assertThat(card(page, 1)).hasAttribute("data-tone", "bad", within(5000));
            assertThat(page.locator("#decisions tbody tr").first()).isVisible();
            seriousOn(page);

            page.locator("#decisions tbody tr button").first().click();
            assertThat(page.locator("#receipt")).isVisible();
            seriousOn(page);
            page.close();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "HANG       ; 0  ; vllm1 makes no tokens though /health says 200",
                "SLOW       ; 20 ; vllm1 is far slower than the others",
                "STATUS     ; 0  ; vllm1 (passes its probes and fails requests|can take no more work)",
                "BLACK_HOLE ; 0  ; vllm1 (fails its probes|makes no tokens)",
            })
    void theHeadlineNamesWhatIsWrong(Fault.Kind kind, long argument, String words) throws Exception {
        try (Fleet fleet = Fleet.start(3, Fleet.QUICK)) {
            fleet.clients(10);
            Page page = browser.desk(fleet.page());
            assertThat(page.locator("#headline")).hasAttribute("data-level", "good", within(10_000));
            page.waitForTimeout(8000);

            fleet.replica(1).faults().set(argument == 0 ? Fault.of(kind) : new Fault(kind, argument));

            assertThat(page.locator("#headline"))
                    .containsText(
                            Pattern.compile(words, Pattern.CASE_INSENSITIVE | Pattern.DOTALL), textWithin(45_000));
            assertThat(card(page, 1)).hasAttribute("data-tone", Pattern.compile("warn|bad"), within(3000));
            shoot(page, "fault-" + kind.label() + ".png");
            page.close();
        }
    }

    @Test
    void aBadEditIsShownWithItsProblem() throws Exception {
        try (Fleet fleet = Fleet.start(2, Fleet.QUICK)) {
            fleet.clients(5);
            Page page = browser.desk(fleet.page());
            assertThat(page.locator("#headline")).hasAttribute("data-level", "good", within(10_000));

            fleet.write(Fleet.QUICK + "retry: {budgt: 1}\n");
            assertThat(page.locator("#config")).hasAttribute("data-ok", "false", within(5000));
            assertThat(page.locator("#config")).containsText("budgt");
            assertThat(page.locator("#headline")).containsText("configuration", textWithin(3000));
            shoot(page, "fault-edit.png");

            fleet.write(Fleet.QUICK);
            assertThat(page.locator("#config")).hasAttribute("data-ok", "true", within(5000));
            page.close();
        }
    }

    @Test
    void picturesAreTaken() throws Exception {
        try (Fleet fleet = Fleet.start(3, "")) {
            fleet.clients(8);
            Page light = browser.open(fleet.page(), 1280, 800, ColorScheme.LIGHT);
            Page dark = browser.open(fleet.page(), 1280, 800, ColorScheme.DARK);
            Page phone = browser.open(fleet.page(), 390, 844, ColorScheme.DARK);
            light.waitForTimeout(40_000);
            shoot(light, "light.png");
            shoot(dark, "dark.png");
            fleet.replica(1).faults().set(Fault.of(Fault.Kind.HANG));
            assertThat(card(light, 1))
                    .hasAttribute("data-standing", Pattern.compile("SUSPECT|STALLED"), within(30_000));
            light.waitForTimeout(3_000);
            shoot(light, "fault-light.png");
            shoot(dark, "fault.png");
            shoot(phone, "fault-phone.png");
            light.close();
            dark.close();
            phone.close();
        }
    }

    private static void shoot(Page page, String name) {
        page.screenshot(new Page.ScreenshotOptions().setPath(PICTURES.resolve(name)));
    }

    private static void seriousOn(Page page) {
        AxeResults results = new AxeBuilder(page).setLegacyMode(true).analyze();
        assertThat(results.getViolations())
                .filteredOn(rule -> List.of("serious", "critical").contains(rule.getImpact()))
                .extracting(rule -> rule.getId() + ": " + rule.getHelp() + " "
                        + rule.getNodes().stream().map(node -> node.getHtml()).toList())
                .isEmpty();
        assertThat(results.getPasses()).isNotEmpty();
    }

    private static Locator card(Page page, int index) {
        return page.locator("[data-replica=vllm" + index + "].replica");
    }

    private static boolean draining(Fleet fleet) {
        return fleet.penstock().upstreams().current().members().get(0).draining();
    }

    private static LocatorAssertions.HasAttributeOptions within(double millis) {
        return new LocatorAssertions.HasAttributeOptions().setTimeout(millis);
    }

    private static LocatorAssertions.ContainsTextOptions textWithin(double millis) {
        return new LocatorAssertions.ContainsTextOptions().setTimeout(millis);
    }

    private void ask(Fleet fleet, String prompt, String id) throws Exception {
        assertThat(http.send(chat(fleet, prompt, id), BodyHandlers.discarding()).statusCode())
                .isEqualTo(200);
    }

    private static HttpRequest chat(Fleet fleet, String prompt, String id) {
        String body = new JsonObject()
                .put("model", "demo")
                .put("stream", true)
                .put("max_tokens", 5)
                .put("messages", List.of(new JsonObject().put("role", "user").put("content", prompt)))
                .encode();
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + fleet.port() + "/v1/chat/completions"))
                .header("content-type", "application/json")
                .header("x-request-id", id)
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }
}
