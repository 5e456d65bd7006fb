package io.penstock;

import java.io.Console;
import java.lang.reflect.InvocationTargetException;

/** Whether somebody is looking. */
final class Terminal {

    private Terminal() {}

    /**
     * Says whether standard output is a terminal, where lines can be written over.
     *
     * <p>Until JDK 22 a console means a terminal; since then the console itself knows.
     */
    @SuppressWarnings("SystemConsoleNull") // The second half of the question is asked below.
    static boolean present() {
        Console console = System.console();
        if (console == null) {
            return false;
        }
        try {
            return Boolean.TRUE.equals(Console.class.getMethod("isTerminal").invoke(console));
        } catch (NoSuchMethodException beforeJdk22) {
            return true;
        } catch (IllegalAccessException | InvocationTargetException e) {
            return false;
        }
    }
}
