import { Bot, Building2, Cable, Image as ImageIcon, Inbox, type LucideIcon, Package, ReceiptText, RefreshCw, Settings } from "lucide-react";

export type NavigationItem = { path: string; label: string; icon: LucideIcon };

/** The main navigation, and the first thing the palette offers. */
export const NAVIGATION: NavigationItem[] = [
  { path: "approvals", label: "Approvals", icon: Inbox },
  { path: "media-buys", label: "Media buys", icon: ReceiptText },
  { path: "creatives", label: "Creatives", icon: ImageIcon },
  { path: "products", label: "Products", icon: Package },
  { path: "connections", label: "Connections", icon: Cable },
  { path: "buyers", label: "Buyers", icon: Bot },
  { path: "accounts", label: "Accounts", icon: Building2 },
  { path: "sync-jobs", label: "Sync jobs", icon: RefreshCw },
  { path: "settings", label: "Settings", icon: Settings },
];

export function publisherPath(publisher: string, path: string): string {
  return `/p/${publisher}/${path}`;
}
