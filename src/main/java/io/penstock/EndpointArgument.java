package io.penstock;

import io.penstock.config.Endpoint;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads {@code HOST:PORT} from a command line; IPv6 addresses stand in brackets. */
final class EndpointArgument implements ITypeConverter<Endpoint> {

    private static final Pattern FORM = Pattern.compile("(?:\\[([0-9A-Fa-f:.]+)]|([A-Za-z0-9._-]+)):(\\d{1,5})");

    @Override
    public Endpoint convert(String text) {
        Matcher parts = FORM.matcher(text);
        if (parts.matches()) {
            String host = parts.group(1) == null ? parts.group(2) : parts.group(1);
            int port = Integer.parseInt(parts.group(3));
            if (host != null && port > 0 && port <= 65535) {
                return new Endpoint(host, port);
            }
        }
        throw new TypeConversionException("want HOST:PORT, as in 127.0.0.1:8090, got " + text);
    }
}
