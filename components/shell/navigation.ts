import { Bot, Building2, Cable, History, Image as ImageIcon, Inbox, type LucideIcon, Package, ReceiptText, RefreshCw, Settings, Users } from "lucide-react";

export type NavigationItem = { path: string; label: string; icon: LucideIcon; /** Left out for everybody else, to whom the screen is closed. */ isForAdmins?: boolean };

/** The main navigation, and the first thing the palette offers. */
const NAVIGATION: NavigationItem[] = [
  { path: "approvals", label: "Approvals", icon: Inbox },
  { path: "media-buys", label: "Media buys", icon: ReceiptText },
  { path: "creatives", label: "Creatives", icon: ImageIcon },
  { path: "products", label: "Products", icon: Package },
  { path: "connections", label: "Connections", icon: Cable },
  { path: "buyers", label: "Buyers", icon: Bot },
  { path: "accounts", label: "Accounts", icon: Building2 },
  { path: "sync-jobs", label: "Sync jobs", icon: RefreshCw },
  { path: "people", label: "People", icon: Users, isForAdmins: true },
  { path: "audit", label: "Audit log", icon: History, isForAdmins: true },
  { path: "settings", label: "Settings", icon: Settings },
];

export function navigationFor({ isAdmin }: { isAdmin: boolean }): NavigationItem[] {
  return NAVIGATION.filter((item) => isAdmin || !item.isForAdmins);
}

export function publisherPath(publisher: string, path: string): string {
  return `/p/${publisher}/${path}`;
}
