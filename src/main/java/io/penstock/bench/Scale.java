package io.penstock.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Where a value lies on an axis.
 *
 * @param least the value at the beginning; above 0 if logarithmic
 * @param most the value at the end, larger
 * @param from the pixel of the beginning
 * @param to the pixel of the end
 * @param logarithmic whether equal distances are equal ratios
 */
record Scale(double least, double most, double from, double to, boolean logarithmic) {

    private static final int MOST_TICKS = 6;

    /** From 0 to a little more than the largest value. */
    static Scale linear(double most, double from, double to) {
        double step = step(most);
        return new Scale(0, Math.max(step, Math.ceil(most / step - 1e-9) * step), from, to, false);
    }

    /** From a power of ten to a power of ten. */
    static Scale logarithmic(double least, double most, double from, double to) {
        double low = Math.pow(10, Math.floor(Math.log10(least)));
        double high = Math.pow(10, Math.ceil(Math.log10(most)));
        return new Scale(low, Math.max(high, 10 * low), from, to, true);
    }

    double at(double value) {
        double share = logarithmic
                ? Math.log(Math.max(value, least) / least) / Math.log(most / least)
                : (value - least) / (most - least);
        return from + share * (to - from);
    }

    /** Round values to write at the axis. */
    List<Double> ticks() {
        List<Double> ticks = new ArrayList<>();
        if (logarithmic) {
            for (double value = least; value <= most * 1.001; value *= 10) {
                ticks.add(value);
            }
        } else {
            double step = step(most);
            for (int i = 0; i * step <= most + step / 1_000; i++) {
                ticks.add(i * step);
            }
        }
        return ticks;
    }

    private static double step(double most) {
        double step = Math.pow(10, Math.floor(Math.log10(Math.max(most, 1e-9))) - 1);
        double[] times = {2, 2.5, 2};
        for (int i = 0; most / step > MOST_TICKS; i++) {
            step *= times[i % times.length];
        }
        return step;
    }

    /** A value without needless digits. */
    static String plain(double value) {
        if (value >= 100 || value == Math.rint(value)) {
            return String.format(Locale.ROOT, "%.0f", value);
        }
        return value >= 0.1
                ? String.format(Locale.ROOT, "%.2g", value)
                        .replaceAll("(\\.\\d*?)0+$", "$1")
                        .replaceAll("\\.$", "")
                : String.format(Locale.ROOT, "%.2f", value);
    }
}
