package io.penstock.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.penstock.faults.Answer.Ending;
import io.penstock.faults.Reply.End;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The one who judges is judged: each verdict can be reached, and nothing looks better than it is. */
class JudgeTest {

    private static final String STREAM = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    private static final String JSON = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
    private static final String TRUTH = " a b";

    @ParameterizedTest
    @EnumSource(Api.class)
    void wholeStreamIsComplete(Api api) {
        assertThat(stream(api, token(api, " a") + token(api, " b") + end(api), End.WHOLE))
                .isEqualTo(Ending.COMPLETE);
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void cleanEndWithoutTheMarkerIsSilent(Api api) {
        assertThat(stream(api, token(api, " a") + token(api, " b"), End.WHOLE)).isEqualTo(Ending.SILENT);
        assertThat(stream(api, "", End.WHOLE)).isEqualTo(Ending.SILENT);
        assertThat(stream(api, token(api, " a"), End.UNFRAMED)).isEqualTo(Ending.SILENT);
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void markerAfterTooLittleTextIsSilent(Api api) {
        assertThat(stream(api, token(api, " a") + end(api), End.WHOLE)).isEqualTo(Ending.SILENT);
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void cutIsHonestAndFlawedWithoutAnErrorEvent(Api api) {
        Answer bare = judged(api, token(api, " a"), End.CUT);
        assertThat(bare.ending()).isEqualTo(Ending.HONEST);
        assertThat(bare.outputSeen()).isTrue();
        assertThat(bare.flaws()).containsExactly("cut without an error event");

        Answer told = judged(api, token(api, " a") + error(api), End.CUT);
        assertThat(told.ending()).isEqualTo(Ending.HONEST);
        assertThat(told.flaws()).isEmpty();
    }

    @Test
    void errorThatIsFollowedByACleanEndIsFlawed() {
        assertThat(judged(Api.CHAT, token(Api.CHAT, " a") + error(Api.CHAT) + "data: [DONE]\n\n", End.WHOLE)
                        .flaws())
                .containsExactly("end marker after an error", "clean last chunk after an error");
    }

    @Test
    void errorEventOfAnotherApiIsAnErrorAndFlawed() {
        for (Api api : new Api[] {Api.RESPONSES, Api.MESSAGES}) {
            Answer answer = judged(api, "event: error\n" + error(Api.CHAT), End.CUT);
            assertThat(answer.ending()).isEqualTo(Ending.HONEST);
            assertThat(answer.flaws()).containsExactly("error event in another shape");
        }
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void otherTextIsWrong(Api api) {
        assertThat(stream(api, token(api, " a") + token(api, " a") + end(api), End.WHOLE))
                .isEqualTo(Ending.WRONG);
        assertThat(stream(api, token(api, " x"), End.CUT)).isEqualTo(Ending.WRONG);
    }

    @Test
    void brokenEventIsWrong() {
        assertThat(stream(Api.CHAT, "data: {\"choices\n\n", End.CUT)).isEqualTo(Ending.WRONG);
    }

    @Test
    void halfAnEventAtTheEndIsNone() {
        assertThat(stream(Api.CHAT, token(Api.CHAT, " a") + "data: {\"choi", End.CUT))
                .isEqualTo(Ending.HONEST);
    }

    @ParameterizedTest
    @EnumSource(Api.class)
    void whatTheModelHasNotWrittenIsNoOutput(Api api) {
        Answer answer = judged(api, ": sign of life\n\n" + error(api), End.CUT);
        assertThat(answer.isLoss()).isTrue();
        assertThat(judged(api, token(api, " a") + error(api), End.CUT).isLoss()).isFalse();
    }

    @Test
    void acceptedResponseIsNoOutput() {
        String accepted = "event: response.created\ndata: {\"type\":\"response.created\"}\n\n";
        assertThat(judged(Api.RESPONSES, accepted, End.CUT).isLoss()).isTrue();
    }

    @Test
    void silenceIsWaiting() {
        assertThat(stream(Api.CHAT, token(Api.CHAT, " a"), End.SILENCE)).isEqualTo(Ending.WAITING);
        assertThat(judge(Api.CHAT, true, new Reply("", "", End.SILENCE))).isEqualTo(Ending.WAITING);
        assertThat(judge(Api.CHAT, false, new Reply(JSON, "", End.SILENCE))).isEqualTo(Ending.WAITING);
    }

    @Test
    void wholeAnswersAreReadInEachApi() {
        Map<Api, String> bodies = Map.of(
                Api.CHAT, "{\"choices\":[{\"message\":{\"content\":\" a b\"}}]}",
                Api.COMPLETIONS, "{\"choices\":[{\"text\":\" a b\"}]}",
                Api.RESPONSES, "{\"output\":[{\"content\":[{\"text\":\" a b\"}]}]}",
                Api.MESSAGES, "{\"content\":[{\"text\":\" a b\"}]}");
        for (Map.Entry<Api, String> each : bodies.entrySet()) {
            Api api = each.getKey();
            String body = each.getValue();
            assertThat(judge(api, false, Reply.whole(JSON, body))).isEqualTo(Ending.COMPLETE);
            assertThat(judge(api, false, Reply.whole(JSON, body.replace(" b", ""))))
                    .isEqualTo(Ending.SILENT);
            assertThat(judge(api, false, Reply.whole(JSON, body.replace(" b", " c"))))
                    .isEqualTo(Ending.WRONG);
            assertThat(judge(api, false, Reply.whole(JSON, body.substring(0, 9))))
                    .isEqualTo(Ending.SILENT);
            assertThat(judge(api, false, new Reply(JSON, body.substring(0, 9), End.CUT)))
                    .isEqualTo(Ending.HONEST);
        }
    }

    @Test
    void errorStatusIsHonestAndFlawedInAnotherShape() {
        String head = "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\n\r\n";
        Answer html = Judge.judge(question(Api.CHAT, true), TRUTH, Reply.whole(head, "<html>"));
        assertThat(html.isLoss()).isTrue();
        assertThat(html.flaws()).containsExactly("error in another shape");
        String openAi = "{\"error\":{\"message\":\"m\"}}";
        assertThat(Judge.judge(question(Api.CHAT, true), TRUTH, Reply.whole(head, openAi))
                        .flaws())
                .isEmpty();
        assertThat(Judge.judge(question(Api.MESSAGES, true), TRUTH, Reply.whole(head, openAi))
                        .flaws())
                .isNotEmpty();
    }

    @Test
    void connectionThatEndsWithoutAWordIsHonest() {
        Answer answer = Judge.judge(question(Api.CHAT, false), TRUTH, new Reply("", "", End.CUT));
        assertThat(answer.isLoss()).isTrue();
        assertThat(answer.flaws()).containsExactly("closed without a word");
    }

    private static Ending stream(Api api, String events, End end) {
        return judged(api, events, end).ending();
    }

    private static Answer judged(Api api, String events, End end) {
        return Judge.judge(question(api, true), TRUTH, new Reply(STREAM, events, end));
    }

    private static Ending judge(Api api, boolean stream, Reply reply) {
        return Judge.judge(question(api, stream), TRUTH, reply).ending();
    }

    private static Question question(Api api, boolean stream) {
        return new Question("id", api, stream, "p", 2);
    }

    private static String token(Api api, String text) {
        return switch (api) {
            case CHAT -> "data: {\"choices\":[{\"delta\":{\"content\":\"" + text + "\"}}]}\n\n";
            case COMPLETIONS -> "data: {\"choices\":[{\"text\":\"" + text + "\"}]}\n\n";
            case RESPONSES ->
                "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"delta\":\"" + text
                        + "\"}\n\n";
            case MESSAGES ->
                "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"" + text
                        + "\"}}\n\n";
        };
    }

    private static String end(Api api) {
        return switch (api) {
            case CHAT, COMPLETIONS -> "data: [DONE]\n\n";
            case RESPONSES -> "event: response.completed\ndata: {\"type\":\"response.completed\"}\n\n";
            case MESSAGES -> "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
        };
    }

    private static String error(Api api) {
        return switch (api) {
            case CHAT, COMPLETIONS -> "data: {\"error\":{\"message\":\"m\"}}\n\n";
            case RESPONSES -> "event: error\ndata: {\"type\":\"error\",\"message\":\"m\"}\n\n";
            case MESSAGES -> "event: error\ndata: {\"type\":\"error\",\"error\":{\"message\":\"m\"}}\n\n";
        };
    }
}
