package io.penstock;

import picocli.CommandLine.IVersionProvider;

/** Which Penstock this is: the version in the jar's manifest. */
final class Version implements IVersionProvider {

    static String current() {
        String packaged = Version.class.getPackage().getImplementationVersion();
        return packaged == null ? "development" : packaged;
    }

    @Override
    public String[] getVersion() {
        return new String[] {"penstock " + current()};
    }
}
