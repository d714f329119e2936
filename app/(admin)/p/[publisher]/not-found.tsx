import { SearchX } from "lucide-react";
import { type Metadata } from "next";
import { Problem } from "@/components/shell/problem";

export const metadata: Metadata = { title: "Not found" };

export default function PublisherNotFound() {
  return (
    <Problem icon={SearchX} title="Not found">
      <p>There is nothing at this address, or it belongs to another publisher.</p>
    </Problem>
  );
}
