import { SearchX } from "lucide-react";
import { Problem } from "@/components/shell/problem";

export default function PublisherNotFound() {
  return (
    <Problem icon={SearchX} title="Not found">
      <title>Not found · Greenlight</title>
      <p>There is nothing at this address, or it belongs to another publisher.</p>
    </Problem>
  );
}
