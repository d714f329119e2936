"use client";

import { useState } from "react";

/**
 * What a form was opened with. It moves on with the form's own saves only (`markSaved`): when somebody else saves meanwhile,
 * `hasMoved` is true, and the version that the form sends is refused instead of overwriting theirs unseen.
 */
export function useOpened<Thing>(stored: Thing, versionOf: (thing: Thing) => number | string | undefined): { opened: Thing; hasMoved: boolean; markSaved: () => void } {
  const [opened, setOpened] = useState(stored);
  const [isSaved, setSaved] = useState(false);
  const hasMoved = versionOf(opened) !== versionOf(stored);
  // The answer to a save and the screen that shows it may arrive apart.
  if (isSaved && hasMoved) {
    setOpened(stored);
    setSaved(false);
  }
  return { opened, hasMoved: hasMoved && !isSaved, markSaved: () => setSaved(true) };
}
