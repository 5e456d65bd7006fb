package io.penstock.sim;

import java.math.BigDecimal;

/** The Prometheus text format, with numbers as Python's client writes them. */
final class Exposition {

    private static final double FIRST_WITH_EXPONENT = 1e6;

    private final StringBuilder text = new StringBuilder(16_384);

    void family(String name, String type, String help) {
        text.append("# HELP ").append(name).append(' ').append(help).append('\n');
        text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    }

    void sample(String name, String labels, double value) {
        text.append(name).append(labels).append(' ').append(number(value)).append('\n');
    }

    void sample(String name, String labels, long value) {
        sample(name, labels, (double) value);
    }

    @Override
    public String toString() {
        return text.toString();
    }

    /** From a million on with an exponent of two digits, below with at least one decimal. */
    static String number(double value) {
        if (value < FIRST_WITH_EXPONENT) {
            return new BigDecimal(Double.toString(value)).scale() > 0 && value < 1e-3 && value > 0
                    ? new BigDecimal(Double.toString(value)).toPlainString()
                    : Double.toString(value);
        }
        BigDecimal exact = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        int exponent = exact.precision() - exact.scale() - 1;
        String digits = exact.unscaledValue().toString();
        String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
        return digits.charAt(0) + fraction + String.format("e+%02d", exponent);
    }
}
