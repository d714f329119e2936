"use client";

import { ErrorScreen } from "@/components/shell/error-screen";

export default function PublisherError(props: { error: unknown; retry: () => void }) {
  return <ErrorScreen {...props} />;
}
