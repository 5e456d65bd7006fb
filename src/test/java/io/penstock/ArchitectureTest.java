package io.penstock;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaConstructorCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.ArchRule;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The rules that hold the house together. Each is a function of the root package, so that it can be seen to fail. */
class ArchitectureTest {

    private static final String ROOT = "io.penstock";
    /** An import may only point left. */
    private static final List<String> ORDER =
            List.of("bus", "config", "upstream", "health", "selection", "admission", "proxy", "metrics", "admin");

    private static final List<String> VAGUE =
            List.of("Util", "Utils", "Helper", "Manager", "Common", "Base", "Impl", "Data", "Info");
    private static final Map<Class<?>, Set<String>> OWN_TIME_AND_CHANCE = Map.of(
            System.class, Set.of("nanoTime", "currentTimeMillis"),
            Math.class, Set.of("random"),
            Instant.class, Set.of("now"),
            Clock.class, Set.of("systemUTC", "systemDefaultZone", "system"),
            UUID.class, Set.of("randomUUID"));

    private static final JavaClasses PRODUCTION = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages(ROOT);

    @Test
    void everyPackageOfTheOrderExistsAndNoOther() {
        Set<String> packages = new TreeSet<>();
        PRODUCTION.forEach(each -> packages.add(each.getPackageName()));

        Set<String> planned = new TreeSet<>(Set.of(ROOT, ROOT + ".sim", ROOT + ".bench", ROOT + ".migrate"));
        ORDER.forEach(each -> planned.add(ROOT + "." + each));
        assertThat(packages).isEqualTo(planned);
    }

    @ParameterizedTest
    @MethodSource("ordered")
    void importsPointLeft(String name) {
        importsPointLeft(ROOT, name).check(PRODUCTION);
    }

    @Test
    void theSimulatorStandsApart() {
        theSimulatorImportsNobody(ROOT).check(PRODUCTION);
    }

    @Test
    void theImportOfOtherConfigurationsKnowsOursOnly() {
        String[] forbidden = Stream.concat(
                        ORDER.stream().filter(each -> !each.equals("config")).map(each -> ROOT + "." + each + ".."),
                        Stream.of(ROOT, ROOT + ".sim..", ROOT + ".bench.."))
                .toArray(String[]::new);
        noClasses()
                .that()
                .resideInAPackage(ROOT + ".migrate..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(forbidden)
                .check(PRODUCTION);
    }

    @Test
    void theBenchKnowsAdmissionAndTheSimulatorAndNothingBeyond() {
        String[] forbidden = Stream.concat(
                        ORDER.stream().skip(ORDER.indexOf("admission") + 1L).map(each -> ROOT + "." + each + ".."),
                        Stream.of(ROOT, ROOT + ".migrate.."))
                .toArray(String[]::new);
        noClasses()
                .that()
                .resideInAPackage(ROOT + ".bench..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(forbidden)
                .check(PRODUCTION);
    }

    /** Whoever does not trace loads nothing of it. */
    @Test
    void onlyTheTracingKnowsOpenTelemetry() {
        noClasses()
                .that()
                .haveNameNotMatching(
                        ".*\\.metrics\\.(OpenTelemetryTracing|RequestSpan|TrySpan|SpanExport|TraceHeaders)(\\$.*)?")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.opentelemetry..")
                .check(PRODUCTION);
    }

    @ParameterizedTest
    @MethodSource("vague")
    void noClassIsNamedAfterNothing(String ending) {
        noNameEndsWith(ending).check(PRODUCTION);
    }

    @Test
    void timeAndChanceComeFromMain() {
        noOwnTimeOrChance(ROOT).check(PRODUCTION);
    }

    @Test
    void onlyCommandsTalkToTheTerminal() {
        noTerminal(ROOT).check(PRODUCTION);
    }

    private static Stream<String> ordered() {
        return ORDER.stream();
    }

    private static Stream<String> vague() {
        return VAGUE.stream();
    }

    private static ArchRule importsPointLeft(String root, String name) {
        Stream<String> toTheRight = ORDER.stream().skip(ORDER.indexOf(name) + 1L);
        String[] forbidden = Stream.concat(
                        toTheRight.map(right -> root + "." + right + ".."),
                        Stream.of(root, root + ".sim..", root + ".bench..", root + ".migrate.."))
                .toArray(String[]::new);
        return noClasses()
                .that()
                .resideInAPackage(root + "." + name + "..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(forbidden);
    }

    private static ArchRule theSimulatorImportsNobody(String root) {
        String[] forbidden = Stream.concat(
                        ORDER.stream().map(each -> root + "." + each + ".."), Stream.of(root, root + ".bench.."))
                .toArray(String[]::new);
        return noClasses()
                .that()
                .resideInAPackage(root + ".sim..")
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(forbidden);
    }

    private static ArchRule noNameEndsWith(String ending) {
        return noClasses().should().haveSimpleNameEndingWith(ending);
    }

    private static ArchRule noOwnTimeOrChance(String root) {
        return noClasses()
                .that()
                .doNotHaveFullyQualifiedName(root + ".Main")
                .should()
                .accessTargetWhere(
                        DescribedPredicate.describe("own time or chance", ArchitectureTest::isOwnTimeOrChance));
    }

    private static boolean isOwnTimeOrChance(JavaAccess<?> access) {
        if (access.getTargetOwner().isEquivalentTo(ThreadLocalRandom.class)) {
            return true;
        }
        if (access instanceof JavaConstructorCall made && made.getTargetOwner().isEquivalentTo(Random.class)) {
            return made.getTarget().getRawParameterTypes().isEmpty();
        }
        return OWN_TIME_AND_CHANCE.entrySet().stream()
                .anyMatch(each -> access.getTargetOwner().isEquivalentTo(each.getKey())
                        && each.getValue().contains(access.getName()));
    }

    private static ArchRule noTerminal(String root) {
        return noClasses()
                .that()
                .resideOutsideOfPackage(root)
                .should()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err");
    }

    /** Every rule finds its culprit, and nobody else, among classes that break it. */
    @Nested
    class EachRuleCanFail {

        private static final String WRONG = ROOT + ".fixture";
        private static final Pattern CULPRIT = Pattern.compile("[<(]io\\.penstock\\.fixture\\.upstream\\.([\\w$]+)");
        private static final JavaClasses FIXTURES = new ClassFileImporter().importPackages(WRONG);

        @Test
        void anImportThatPointsRightIsFound() {
            assertThat(culprits(importsPointLeft(WRONG, "upstream")))
                    .containsExactly("Rightward", "ToTheRoot", "ToTheSimulator");
        }

        @ParameterizedTest
        @ValueSource(strings = {"proxy", "bus"})
        void anImportThatPointsLeftIsNot(String name) {
            assertThat(importsPointLeft(WRONG, name).evaluate(FIXTURES).hasViolation())
                    .isFalse();
        }

        @Test
        void aSimulatorThatLooksIntoTheHouseIsFound() {
            assertThat(theSimulatorImportsNobody(WRONG).evaluate(FIXTURES).hasViolation())
                    .isTrue();
        }

        @Test
        void aVagueNameIsFound() {
            assertThat(culprits(noNameEndsWith("Manager"))).containsExactly("ReplicaManager");
            assertThat(culprits(noNameEndsWith("Helper"))).isEmpty();
        }

        @Test
        void everySourceOfTimeAndChanceIsFound() {
            assertThat(culprits(noOwnTimeOrChance(WRONG)))
                    .containsExactly(
                            "OwnClock$MathsDice",
                            "OwnClock$Millis",
                            "OwnClock$Moment",
                            "OwnClock$Names",
                            "OwnClock$Nanos",
                            "OwnClock$NanosByReference",
                            "OwnClock$OwnDice",
                            "OwnClock$ThreadsDice");
        }

        @Test
        void talkIsFound() {
            assertThat(culprits(noTerminal(WRONG))).containsExactly("Chatter$Err", "Chatter$Out");
        }

        private static Set<String> culprits(ArchRule rule) {
            Set<String> names = new TreeSet<>();
            for (String line : rule.evaluate(FIXTURES).getFailureReport().getDetails()) {
                Matcher culprit = CULPRIT.matcher(line);
                assertThat(culprit.find()).as(line).isTrue();
                names.add(culprit.group(1));
            }
            return names;
        }
    }
}
