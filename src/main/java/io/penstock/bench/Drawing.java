package io.penstock.bench;

import java.util.Locale;

/** A small picture in SVG, for light and dark surroundings. Confined to one thread. */
final class Drawing {

    /** What classes look like; the same in a page as in a picture that stands alone. */
    static final String STYLE = """
            .surface{fill:#fcfcfb}.ink{fill:#0b0b0b}.soft{fill:#52514e}.ink,.soft{font:11px system-ui,sans-serif}
            .ink{font-size:13px;font-weight:600}.grid{stroke:#e4e3df}.axis{stroke:#a9a8a2}.mark{stroke:#52514e;stroke-dasharray:4 4}
            .s0{stroke:#2a78d6}.s1{stroke:#eb6834}.s2{stroke:#1baf7a}.f0{fill:#2a78d6}.f1{fill:#eb6834}.f2{fill:#1baf7a}
            .curve{fill:none;stroke-width:2;stroke-linejoin:round}
            @media (prefers-color-scheme:dark){
            .surface{fill:#1a1a19}.ink{fill:#fff}.soft{fill:#c3c2b7}.grid{stroke:#343431}.axis{stroke:#6b6a64}.mark{stroke:#c3c2b7}
            .s0{stroke:#3987e5}.s1{stroke:#d95926}.s2{stroke:#199e70}.f0{fill:#3987e5}.f1{fill:#d95926}.f2{fill:#199e70}}
            """;

    private final int width;
    private final int height;
    private final String title;
    private final StringBuilder body = new StringBuilder();

    /**
     * Begins with a heading on an empty surface.
     *
     * @param width in pixels
     * @param height in pixels
     * @param title the heading, which is also what screen readers say
     */
    Drawing(int width, int height, String title) {
        this.width = width;
        this.height = height;
        this.title = title;
        body.append("<rect class=\"surface\" width=\"100%\" height=\"100%\"/>\n");
        text(12, 20, "start", "ink", title);
    }

    void line(double x1, double y1, double x2, double y2, String look) {
        add("<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n", look, x1, y1, x2, y2);
    }

    void text(double x, double y, String anchor, String look, String words) {
        add(
                "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n",
                look, x, y, anchor, escaped(words));
    }

    /** A bar or a swatch; who points at it reads the words. */
    void bar(double x, double y, double wide, double high, String look, String words) {
        add(
                "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"2\"><title>%s</title></rect>\n",
                look, x, y, wide, high, escaped(words));
    }

    /** A point; who points at it reads the words. */
    void dot(double x, double y, String look, String words) {
        add(
                "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\"><title>%s</title></circle>\n",
                look, x, y, escaped(words));
    }

    /** A curve through points, given as x and y by turns. */
    void curve(String points, String look) {
        add("<polyline class=\"curve %s\" points=\"%s\"/>\n", look, points);
    }

    private void add(String format, Object... values) {
        body.append(String.format(Locale.ROOT, format, values));
    }

    /** As part of a page that has the style. */
    String inline() {
        return open("") + body + "</svg>\n";
    }

    /** As a file of its own. */
    String alone() {
        return open(" xmlns=\"http://www.w3.org/2000/svg\"") + "<style>\n" + STYLE + "</style>\n" + body + "</svg>\n";
    }

    private String open(String more) {
        return String.format(
                Locale.ROOT,
                "<svg%s viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"%s\">\n",
                more,
                width,
                height,
                width,
                height,
                escaped(title));
    }

    static String escaped(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
