import { Lock } from "lucide-react";
import { Problem } from "@/components/shell/problem";

export default function PublisherForbidden() {
  return (
    <Problem icon={Lock} title="Your role does not allow this">
      <title>Not allowed · Greenlight</title>
      <p>Ask an administrator of this publisher to change your role, or to do it for you.</p>
    </Problem>
  );
}
