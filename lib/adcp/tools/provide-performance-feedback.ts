import { provideFeedback } from "../../delivery/feedback";
import { type Tool } from "../tool";

export const providePerformanceFeedbackTool: Tool = {
  kind: "mutation",
  name: "provide_performance_feedback",
  title: "Tell how an order performs",
  description: "Tells the publisher's people how a media buy, a package or a creative performs by your own measurement: 1 is as expected, 0 no value. They see it beside its delivery.",
  access: "principal",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true },
  async run(call, request) {
    const { isSandbox } = await provideFeedback(call, { session: call.session, request });
    return { payload: { success: true, ...(isSandbox ? { sandbox: true } : {}) }, summary: "The publisher sees your feedback." };
  },
};
