import { GeistMono } from "geist/font/mono";
import { GeistSans } from "geist/font/sans";
import { type Metadata, type Viewport } from "next";
import { cookies } from "next/headers";
import { NuqsAdapter } from "nuqs/adapters/next/app";
import { type ReactNode } from "react";
import { DemoBanner, SkipLink } from "@/components/shell/brand";
import { parseTheme, THEME_COOKIE } from "@/components/shell/theme";
import { Announcer } from "@/components/ui/announcer";
import { Toaster } from "@/components/ui/toast";
import { env } from "@/lib/env";
import "./globals.css";

export const metadata: Metadata = {
  title: { default: "Greenlight", template: "%s · Greenlight" },
  description: "The publisher's sales desk for buying agents.",
  robots: { index: false, follow: false },
};

export const viewport: Viewport = { width: "device-width", initialScale: 1, colorScheme: "light dark" };

export default async function RootLayout({ children }: { children: ReactNode }) {
  const theme = parseTheme((await cookies()).get(THEME_COOKIE)?.value);
  return (
    <html lang="en" data-theme={theme === "system" ? undefined : theme} className={`${GeistSans.variable} ${GeistMono.variable}`}>
      <body className="flex min-h-dvh flex-col">
        <SkipLink />
        {env().DEMO ? <DemoBanner /> : null}
        <NuqsAdapter>{children}</NuqsAdapter>
        <Announcer />
        <Toaster />
      </body>
    </html>
  );
}
