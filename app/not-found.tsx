import { SearchX } from "lucide-react";
import { type Metadata } from "next";
import Link from "next/link";
import { Button } from "@/components/ui/button";
import { Problem } from "@/components/shell/problem";

export const metadata: Metadata = { title: "Not found" };

export default function NotFound() {
  return (
    <main id="content" tabIndex={-1} className="grid flex-1 outline-none">
      <Problem icon={SearchX} title="Not found" actions={<Button asChild variant="primary"><Link href="/">Go to your start page</Link></Button>}>
        <p>There is nothing at this address, or you do not work for this publisher.</p>
      </Problem>
    </main>
  );
}
