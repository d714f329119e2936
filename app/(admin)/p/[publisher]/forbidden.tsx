import { Lock } from "lucide-react";
import { type Metadata } from "next";
import { Problem } from "@/components/shell/problem";

export const metadata: Metadata = { title: "Not allowed" };

export default function PublisherForbidden() {
  return (
    <Problem icon={Lock} title="Your role does not allow this">
      <p>Ask an administrator of this publisher to change your role, or to do it for you.</p>
    </Problem>
  );
}
