"use client";

import { signIn } from "next-auth/react";
import { useState } from "react";
import { Button } from "@/components/ui/button";

export function GoogleButton({ callbackUrl }: { callbackUrl: string }) {
  const [isPending, setPending] = useState(false);
  return (
    <div className="grid gap-4">
      <p className="flex items-center gap-3 text-xs text-ink-2 before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">or</p>
      <Button isPending={isPending} onClick={() => { setPending(true); void signIn("google", { callbackUrl }); }}>Continue with Google</Button>
    </div>
  );
}
