import { checkReceiverUrl } from "../webhooks/address";

/** An address that may not be called is refused even where the answer comes at once and nothing will be sent there. */
export function checkReceiver(request: { push_notification_config?: Record<string, unknown> }): void {
  if (request.push_notification_config) checkReceiverUrl(String(request.push_notification_config.url), "push_notification_config.url");
}
