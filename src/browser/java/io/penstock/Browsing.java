package io.penstock;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.microsoft.playwright.Browser;
import com.microsoft.playwright.BrowserContext;
import com.microsoft.playwright.BrowserType;
import com.microsoft.playwright.Page;
import com.microsoft.playwright.Playwright;
import com.microsoft.playwright.options.ColorScheme;
import com.microsoft.playwright.options.ReducedMotion;
import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** A headless Chromium, and what pages in it complained about or asked of others. */
final class Browsing implements AutoCloseable {

    private static final List<String> NAMES = List.of("chromium", "chromium-browser", "google-chrome", "chrome");
    private static final List<String> QUIET = List.of(
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync");

    private final Playwright playwright;
    private final Browser browser;
    private final List<String> complaints = new CopyOnWriteArrayList<>();
    private final List<String> asked = new CopyOnWriteArrayList<>();

    private Browsing(Path chromium) {
        playwright = Playwright.create(
                new Playwright.CreateOptions().setEnv(Map.of("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")));
        browser = playwright
                .chromium()
                .launch(new BrowserType.LaunchOptions()
                        .setExecutablePath(chromium)
                        .setArgs(QUIET));
    }

    /** Opens one, or skips the test if there is no Chromium. */
    static Browsing open() {
        Path chromium = find();
        assumeTrue(chromium != null, "no Chromium in the PATH, and PENSTOCK_CHROMIUM is not set");
        return new Browsing(Objects.requireNonNull(chromium));
    }

    private static @Nullable Path find() {
        String named = System.getenv("PENSTOCK_CHROMIUM");
        if (named != null) {
            return Path.of(named);
        }
        for (String directory : System.getenv("PATH").split(File.pathSeparator, -1)) {
            for (String name : NAMES) {
                Path file = Path.of(directory, name);
                if (Files.isExecutable(file)) {
                    return file;
                }
            }
        }
        return null;
    }

    /** A page on a desk, light. */
    Page desk(String url) {
        return open(url, 1280, 900, ColorScheme.LIGHT);
    }

    /** A page of that size in those colours; nothing moves on it. */
    Page open(String url, int width, int height, ColorScheme colours) {
        BrowserContext context = browser.newContext(new Browser.NewContextOptions()
                .setViewportSize(width, height)
                .setDeviceScaleFactor(2)
                .setColorScheme(colours)
                .setReducedMotion(ReducedMotion.NO_PREFERENCE));
        Page page = context.newPage();
        page.onConsoleMessage(message -> {
            if (message.type().equals("error") || message.type().equals("warning")) {
                complaints.add(message.text() + " at " + message.location());
            }
        });
        page.onPageError(complaints::add);
        page.onRequest(request -> asked.add(request.url()));
        page.navigate(url);
        return page;
    }

    /** Errors and warnings of all pages so far. */
    List<String> complaints() {
        return new ArrayList<>(complaints);
    }

    /** Forgets them: they were to be expected. */
    void forgive() {
        complaints.clear();
    }

    /** All addresses that were asked for. */
    List<String> asked() {
        return new ArrayList<>(asked);
    }

    @Override
    public void close() {
        browser.close();
        playwright.close();
    }
}
