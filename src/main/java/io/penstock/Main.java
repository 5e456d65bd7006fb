package io.penstock;

import io.penstock.bus.Topic;
import io.penstock.metrics.DroppingAppender;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.security.Security;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The program: reads the command line, sets what must be set before anything else, and runs the command. */
@Command(
        name = "penstock",
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        description = "The load balancer that understands vLLM.",
        footer = {
            "",
            "Start here:  penstock demo",
            "In front of two vLLM servers:",
            "  penstock serve --upstream http://127.0.0.1:8001 --upstream http://127.0.0.1:8002"
        })
public final class Main {

    private Main() {}

    /**
     * Runs a command and exits with its code.
     *
     * @param args the command line
     */
    public static void main(String[] args) {
        prepareProcess();
        int code = commandLine().execute(withCommand(args));
        DroppingAppender.flushAndStop();
        System.exit(code);
    }

    /** {@code serve} is what is meant when no command is named: {@code penstock}, {@code penstock --config FILE}. */
    static String[] withCommand(String[] args) {
        boolean named = args.length > 0
                && (!args[0].startsWith("-")
                        || List.of("-h", "--help", "-V", "--version").contains(args[0]));
        if (named) {
            return args;
        }
        List<String> full = new ArrayList<>(List.of("serve"));
        full.addAll(List.of(args));
        return full.toArray(String[]::new);
    }

    /** All commands, with time and chance as they are in production. */
    static CommandLine commandLine() {
        Chance chance = new Chance(
                System::nanoTime,
                System::currentTimeMillis,
                () -> ThreadLocalRandom.current().nextDouble(),
                Main::requestId);
        return new CommandLine(new Main())
                .addSubcommand(new ServeCommand(chance))
                .addSubcommand(new DemoCommand(chance))
                .addSubcommand(new SimCommand(chance.nanoClock(), chance.epochMillis()))
                .addSubcommand(new io.penstock.CheckCommand())
                .addSubcommand(new ImportCommand(System.in))
                .addSubcommand(new StatusCommand(Terminal::present))
                .addSubcommand(new ExplainCommand())
                .addSubcommand(new DrainCommand(chance.nanoClock(), Terminal::present))
                .addSubcommand(new UndrainCommand(chance.nanoClock()))
                .addSubcommand(new BenchCommand(chance.nanoClock(), chance.epochMillis()))
                .addSubcommand(new RehearseCommand(chance));
    }

    /** Settings that Vert.x and the JDK read once, when they are first used. */
    private static void prepareProcess() {
        System.setProperty("vertx.logger-delegate-factory-class-name", "io.vertx.core.logging.SLF4JLogDelegateFactory");
        // No files of ours go through Vert.x's cache, and the root file system may be read-only.
        System.setProperty("vertx.disableFileCPResolving", "true");
        System.setProperty("vertx.disableFileCaching", "true");
        // Names are looked up every 2 s, and an answer should be no older than that.
        Security.setProperty("networkaddress.cache.ttl", "1");
        Security.setProperty("networkaddress.cache.negative.ttl", "0");
    }

    /** One event loop per core, on epoll where there is one. */
    static Vertx vertx() {
        Vertx vertx = Vertx.vertx(
                new VertxOptions().setEventLoopPoolSize(Penstock.eventLoops()).setPreferNativeTransport(true));
        Topic.carryOn(vertx);
        return vertx;
    }

    /** Unique, not secret: a secure source would wait for entropy on the event loop. */
    private static String requestId() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        return new UUID(random.nextLong(), random.nextLong()).toString().replace("-", "");
    }
}
