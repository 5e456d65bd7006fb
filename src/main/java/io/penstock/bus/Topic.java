package io.penstock.bus;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.MessageCodec;
import io.vertx.core.eventbus.MessageConsumer;
import java.util.function.Consumer;

/**
 * One kind of news between verticles: an event-bus address and the immutable record that travels on it.
 *
 * <p>Records are passed by reference and never leave the process. The bus has no back-pressure, so it carries changes
 * (a new configuration, a replica that came or went) and never requests.
 *
 * @param <T> the record; it must be immutable, since sender and receivers share the instance
 */
public final class Topic<T> {

    private static final String BY_REFERENCE = "penstock.by-reference";
    private static final DeliveryOptions LOCAL =
            new DeliveryOptions().setCodecName(BY_REFERENCE).setLocalOnly(true);

    private final String address;
    private final Class<T> type;

    /**
     * Names a topic.
     *
     * @param address where it is published, unique in the process
     * @param type what is published there
     */
    public Topic(String address, Class<T> type) {
        this.address = address;
        this.type = type;
    }

    /**
     * Makes a Vert.x instance able to carry topics. Call it once, before the first verticle is deployed.
     *
     * @param vertx the instance
     */
    public static void carryOn(Vertx vertx) {
        vertx.eventBus().registerCodec(new ByReference());
    }

    /**
     * Tells every subscriber, each on its own context. Callable from any thread; returns at once.
     *
     * @param bus where it is told
     * @param news what is told
     */
    public void publish(EventBus bus, T news) {
        bus.publish(address, news, LOCAL);
    }

    /**
     * Calls the handler for everything published from now on, on the context of the calling verticle. Whoever starts
     * late has missed what came before, so the publisher also offers the current state by other means.
     *
     * @param bus where to listen
     * @param handler what to do with the news
     * @return the subscription, which ends with the verticle or by {@link MessageConsumer#unregister()}
     */
    public MessageConsumer<Object> subscribe(EventBus bus, Consumer<T> handler) {
        return bus.localConsumer(address, message -> handler.accept(type.cast(message.body())));
    }

    private static final class ByReference implements MessageCodec<Object, Object> {

        @Override
        public void encodeToWire(Buffer buffer, Object body) {
            throw new IllegalStateException("topics are local: " + body.getClass());
        }

        @Override
        public Object decodeFromWire(int position, Buffer buffer) {
            throw new IllegalStateException("topics are local");
        }

        @Override
        public Object transform(Object body) {
            return body;
        }

        @Override
        public String name() {
            return BY_REFERENCE;
        }

        @Override
        public byte systemCodecID() {
            return -1;
        }
    }
}
