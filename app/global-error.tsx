"use client";

import { ErrorScreen } from "@/components/shell/error-screen";
import "./globals.css";

/** When the root layout itself fails. */
export default function GlobalError(props: { error: unknown; retry: () => void }) {
  return (
    <html lang="en">
      <body className="flex min-h-dvh flex-col">
        <main id="content" tabIndex={-1} className="grid flex-1 outline-none"><ErrorScreen {...props} /></main>
      </body>
    </html>
  );
}
