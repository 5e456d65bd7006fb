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
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
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
    private final Map<Page, List<String>> complaints = new ConcurrentHashMap<>();
    private final Map<Page, List<String>> asked = new ConcurrentHashMap<>();

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
        List<String> here = new CopyOnWriteArrayList<>();
        complaints.put(page, here);
        page.onConsoleMessage(message -> {
            if (message.type().equals("error") || message.type().equals("warning")) {
                here.add(message.text() + " at " + message.location());
            }
        });
        page.onPageError(here::add);
        List<String> wanted = new CopyOnWriteArrayList<>();
        asked.put(page, wanted);
        page.onRequest(request -> wanted.add(request.url()));
        page.navigate(url);
        return page;
    }

    /** Errors and warnings of a page so far. */
    List<String> complaints(Page page) {
        return List.copyOf(complaints.getOrDefault(page, List.of()));
    }

    /** All addresses that a page asked for. */
    List<String> asked(Page page) {
        return List.copyOf(asked.getOrDefault(page, List.of()));
    }

    @Override
    public void close() {
        browser.close();
        playwright.close();
    }
}
