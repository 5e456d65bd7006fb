package io.penstock.faults;

/**
 * One request whose answer is known.
 *
 * @param id unique; it travels in the body, which every proxy passes as it is
 * @param api where it is asked
 * @param stream whether the answer shall be a stream
 * @param prompt the text to be answered
 * @param tokens how many tokens the whole answer has
 */
record Question(String id, Api api, boolean stream, String prompt, int tokens) {

    /** The request on the wire. */
    String request() {
        String body = api.body(this);
        return "POST " + api.path
                + " HTTP/1.1\r\nHost: front:8000\r\nContent-Type: application/json\r\nContent-Length: " + body.length()
                + "\r\n\r\n" + body;
    }
}
