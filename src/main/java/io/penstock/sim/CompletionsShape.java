package io.penstock.sim;

import java.util.List;

/** {@code POST /v1/completions}. */
final class CompletionsShape extends OpenAiShape {

    CompletionsShape(Draft draft) {
        super(draft, "text_completion");
    }

    @Override
    public List<String> opening() {
        return List.of();
    }

    @Override
    public String token(int index) {
        Completion completion = draft.completion();
        boolean last = index == completion.size() - 1;
        String end = last
                ? "\"" + completion.finishReason() + "\",\"stop_reason\":" + Shape.stopReason(completion)
                : "null,\"stop_reason\":null";
        return chunk(
                "{\"index\":0,\"text\":" + Shape.quoted(completion.tokens().get(index))
                        + ",\"logprobs\":null,\"finish_reason\":" + end
                        + ",\"prompt_token_ids\":null,\"token_ids\":null}",
                afterToken(index));
    }

    @Override
    public String whole() {
        Completion completion = draft.completion();
        return "{\"id\":" + Shape.quoted(draft.id()) + ",\"object\":\"text_completion\",\"created\":" + draft.created()
                + ",\"model\":" + Shape.quoted(draft.model()) + ",\"choices\":[{\"index\":0,\"text\":"
                + Shape.quoted(completion.text()) + ",\"logprobs\":null,\"finish_reason\":\""
                + completion.finishReason() + "\",\"stop_reason\":" + Shape.stopReason(completion)
                + ",\"token_ids\":null,\"prompt_logprobs\":null,\"prompt_token_ids\":null,\"routed_experts\":null}],"
                + "\"service_tier\":null" + fingerprint() + ",\"usage\":" + usage()
                + ",\"kv_transfer_params\":null,\"ec_transfer_params\":null,\"metrics\":null}";
    }
}
