import { cookies } from "next/headers";
import Link from "next/link";
import { type ReactNode } from "react";
import { Brand, DemoBanner } from "@/components/shell/brand";
import { CommandPalette } from "@/components/shell/command-palette";
import { LiveProvider, LiveRefresh, LiveStatus } from "@/components/shell/live";
import { MobileNav } from "@/components/shell/mobile-nav";
import { NavLinks } from "@/components/shell/nav-links";
import { PublisherSwitcher } from "@/components/shell/publisher-switcher";
import { parseTheme, THEME_COOKIE } from "@/components/shell/theme";
import { UserMenu } from "@/components/shell/user-menu";
import { countWaiting } from "@/lib/approvals/waiting";
import { requirePage } from "@/lib/auth/page";
import { env } from "@/lib/env";
import { signOut } from "../../../sign-in/actions";

export default async function PublisherLayout({ children, params }: { children: ReactNode; params: Promise<{ publisher: string }> }) {
  const { publisher: slug } = await params;
  const page = await requirePage(slug, "media_buy.read");
  const { publisher, staff } = page;
  const waiting = await page.run(countWaiting);
  const theme = parseTheme((await cookies()).get(THEME_COOKIE)?.value);
  const publishers = staff.memberships.map(({ slug: choice, name }) => ({ slug: choice, name }));
  const sidebar = (
    <>
      <div className="grid gap-2 p-3">
        <PublisherSwitcher current={{ slug, name: publisher.name }} publishers={publishers} />
      </div>
      <nav aria-label="Main" className="flex-1 overflow-y-auto px-3"><NavLinks publisher={slug} waiting={waiting} isAdmin={publisher.role === "admin"} /></nav>
      <div className="border-t border-line p-2"><UserMenu person={{ name: staff.name, email: staff.email, role: publisher.role }} theme={theme} signOut={signOut} /></div>
    </>
  );
  return (
    <LiveProvider publisher={slug}>
      <LiveRefresh topics={["queue"]} />
      {publisher.isDemo && !env().DEMO ? <DemoBanner /> : null}
      <div className="flex min-h-0 flex-1 flex-col lg:grid lg:grid-cols-[15rem_minmax(0,1fr)]">
        <div role="region" aria-label="Sidebar" className="sticky top-(--banner) hidden h-[calc(100dvh-var(--banner))] flex-col self-start border-r border-line bg-surface lg:flex">
          <div className="flex h-13 items-center px-5"><Link href={`/p/${slug}/approvals`} className="rounded"><Brand /></Link></div>
          {sidebar}
        </div>
        <div className="flex min-w-0 flex-1 flex-col">
          <header className="sticky top-(--banner) z-20 flex h-13 items-center gap-3 border-b border-line bg-surface px-3 lg:px-6">
            <div className="flex items-center gap-2 lg:hidden">
              <MobileNav>{sidebar}</MobileNav>
              <Brand className="max-sm:hidden" />
            </div>
            <div className="ml-auto w-full max-w-64"><CommandPalette publisher={slug} publishers={publishers} isAdmin={publisher.role === "admin"} /></div>
          </header>
          <LiveStatus />
          <main id="content" tabIndex={-1} className="mx-auto w-full max-w-[88rem] flex-1 px-4 py-5 outline-none lg:px-6">{children}</main>
        </div>
      </div>
    </LiveProvider>
  );
}
