"use client";

import { ErrorScreen } from "@/components/shell/error-screen";

export default function RootError(props: { error: unknown; retry: () => void }) {
  return <main id="content" tabIndex={-1} className="grid flex-1 outline-none"><ErrorScreen {...props} /></main>;
}
