package io.penstock;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a source file may look like. */
class SourceShapeTest {

    private static final Path SOURCES = Path.of("src/main/java");
    private static final int LONGEST_FILE = 400;
    private static final int LONGEST_METHOD = 40;
    private static final Pattern ORPHANED_TODO = Pattern.compile("\\b(TODO|FIXME)\\b(?!\\(#\\d+\\))");

    @Test
    void productionCodeIsInShape() throws IOException {
        List<Path> files = javaFiles(SOURCES);
        assertThat(files).hasSizeGreaterThan(100);

        List<String> complaints = new ArrayList<>();
        for (Path file : files) {
            complaints(file).forEach(each -> complaints.add(file + each));
        }
        complaints.addAll(longMethods(files));

        assertThat(complaints).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "'// what is this ???', ':1: ???'",
        "'e.printStackTrace();', ':1: printStackTrace'",
        "'// TODO later', ':1: TODO without an issue number'",
        "'// FIXME', ':1: TODO without an issue number'",
        "'\tint a;', ':1: tab'",
    })
    void everyLineRuleCanFail(String line, String complaint, @TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("Odd.java"), line + "\n");

        assertThat(complaints(file)).containsExactly(complaint);
    }

    @Test
    void aTodoWithAnIssueNumberMayStay(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("Odd.java"), "// TODO(#12) soon\n");

        assertThat(complaints(file)).isEmpty();
    }

    @Test
    void aFileMayHaveFourHundredLinesAndNoMore(@TempDir Path folder) throws IOException {
        Path fits = Files.writeString(folder.resolve("Fits.java"), "\n".repeat(400));
        Path tooLong = Files.writeString(folder.resolve("TooLong.java"), "\n".repeat(401));

        assertThat(complaints(fits)).isEmpty();
        assertThat(complaints(tooLong)).containsExactly(": 401 lines");
    }

    @Test
    void aMethodMayHaveFortyLinesAndNoMore(@TempDir Path folder) throws IOException {
        String fits = "void fits() {\n" + "a();\n".repeat(38) + "}\n";
        String tooLong = "/** Not counted. */\nvoid tooLong() {\n" + "a();\n".repeat(39) + "}\n";
        Path file = Files.writeString(folder.resolve("Odd.java"), "class Odd {\n" + fits + tooLong + "}\n");

        assertThat(longMethods(List.of(file))).containsExactly(file + ": tooLong has 41 lines");
    }

    private static List<Path> javaFiles(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(file -> file.toString().endsWith(".java"))
                    .sorted()
                    .toList();
        }
    }

    private static List<String> complaints(Path file) throws IOException {
        List<String> complaints = new ArrayList<>();
        List<String> lines = Files.readAllLines(file);
        if (lines.size() > LONGEST_FILE) {
            complaints.add(": " + lines.size() + " lines");
        }
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            String at = ":" + (i + 1) + ": ";
            if (line.contains("???")) {
                complaints.add(at + "???");
            }
            if (line.contains("printStackTrace")) {
                complaints.add(at + "printStackTrace");
            }
            if (ORPHANED_TODO.matcher(line).find()) {
                complaints.add(at + "TODO without an issue number");
            }
            if (line.indexOf('\t') >= 0) {
                complaints.add(at + "tab");
            }
        }
        return complaints;
    }

    /** Asks the compiler where methods begin and end; it only parses. */
    private static List<String> longMethods(List<Path> files) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        List<String> complaints = new ArrayList<>();
        try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask) compiler.getTask(
                    null, manager, null, List.of("-proc:none"), null, manager.getJavaFileObjectsFromPaths(files));
            SourcePositions positions = Trees.instance(task).getSourcePositions();
            for (CompilationUnitTree unit : task.parse()) {
                unit.accept(new LongMethods(unit, positions, complaints), null);
            }
        }
        return complaints;
    }

    private static final class LongMethods extends TreeScanner<Void, Void> {

        private final CompilationUnitTree unit;
        private final SourcePositions positions;
        private final List<String> complaints;

        private LongMethods(CompilationUnitTree unit, SourcePositions positions, List<String> complaints) {
            this.unit = unit;
            this.positions = positions;
            this.complaints = complaints;
        }

        @Override
        public Void visitMethod(MethodTree method, Void nothing) {
            long lines =
                    line(positions.getEndPosition(unit, method)) - line(positions.getStartPosition(unit, method)) + 1;
            if (lines > LONGEST_METHOD) {
                complaints.add(
                        Path.of(unit.getSourceFile().toUri()) + ": " + method.getName() + " has " + lines + " lines");
            }
            return super.visitMethod(method, null);
        }

        private long line(long position) {
            return unit.getLineMap().getLineNumber(position);
        }
    }
}
