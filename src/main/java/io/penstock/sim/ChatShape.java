package io.penstock.sim;

import java.util.List;

/** {@code POST /v1/chat/completions}. */
final class ChatShape extends OpenAiShape {

    ChatShape(Draft draft) {
        super(draft, "chat.completion.chunk");
    }

    @Override
    public List<String> opening() {
        return List.of(chunk(
                "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,"
                        + "\"finish_reason\":null}",
                running(0) + ",\"prompt_token_ids\":null,\"prompt_text\":null"));
    }

    @Override
    public String token(int index) {
        Completion completion = draft.completion();
        boolean last = index == completion.size() - 1;
        String end =
                last ? "\"" + completion.finishReason() + "\",\"stop_reason\":" + Shape.stopReason(completion) : "null";
        return chunk(
                "{\"index\":0,\"delta\":{\"content\":"
                        + Shape.quoted(completion.tokens().get(index)) + "},\"logprobs\":null,\"finish_reason\":" + end
                        + ",\"token_ids\":null}",
                afterToken(index));
    }

    @Override
    public String whole() {
        Completion completion = draft.completion();
        return "{\"id\":" + Shape.quoted(draft.id()) + ",\"object\":\"chat.completion\",\"created\":" + draft.created()
                + ",\"model\":" + Shape.quoted(draft.model())
                + ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
                + Shape.quoted(completion.text())
                + ",\"refusal\":null,\"annotations\":null,\"audio\":null,\"function_call\":null,\"reasoning\":null},"
                + "\"logprobs\":null,\"finish_reason\":\"" + completion.finishReason() + "\",\"stop_reason\":"
                + Shape.stopReason(completion) + ",\"token_ids\":null,\"routed_experts\":null}],\"service_tier\":null"
                + fingerprint() + ",\"usage\":" + usage()
                + ",\"prompt_logprobs\":null,\"prompt_token_ids\":null,\"prompt_text\":null,"
                + "\"kv_transfer_params\":null,\"ec_transfer_params\":null,\"metrics\":null}";
    }
}
